#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace qingyin::training {

/// Pixels of 8 bits, row by row from the top, as an 8-bit palette image.
struct Picture {
  std::int64_t width, height;
  std::vector<std::uint8_t> pixels;
};

/// Log-mel spectrograms of sounds beside one another, high bands on top, and below each its
/// waveform; all at one scale.
Picture sounds_picture(const std::vector<std::vector<float>>& sounds);

/// A PNG file (ISO/IEC 15948) with a palette from black over violet and orange to white.
/// @throws Error kIo
void write_png(const Picture& picture, const std::filesystem::path& path);

}  // namespace qingyin::training
