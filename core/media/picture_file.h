#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "core/atomic_file.h"
#include "core/media/frame_reader.h"

namespace qingyin {

/// Reads a still picture: PNG, JPEG, WebP or BMP, told by its bytes. sRGB; transparency is seen on
/// black.
/// @throws Error kInvalidInput if it is no such picture, is damaged, or is larger than 64 MB or
///         16384 pixels on a side
Frame read_picture(const std::filesystem::path& path);

/// Writes a PNG file, atomically.
/// @param rgb  sRGB [height, width, 3]
/// @throws Error kIo
void write_png(const std::filesystem::path& path, std::int64_t width, std::int64_t height,
               std::span<const std::uint8_t> rgb, Overwrite overwrite);

}  // namespace qingyin
