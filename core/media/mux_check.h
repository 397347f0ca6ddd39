#pragma once

#include <cstdint>
#include <filesystem>

#include "core/media/ffmpeg.h"

namespace qingyin::media {

/// What a finished file must contain.
struct Written {
  AVCodecID picture;
  std::int64_t picture_packets = 0;
  std::int64_t sound_samples = 0;
  bool audible = false;  // some sample was well above the noise of any codec
};

/// Opens a finished file anew, counts its picture packets and decodes all of its sound.
/// @throws Error kIo, naming `target`, if anything differs from what was written
void check_written(const std::filesystem::path& file, const std::filesystem::path& target,
                   const Written& expected);

}  // namespace qingyin::media
