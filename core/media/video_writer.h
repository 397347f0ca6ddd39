#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/atomic_file.h"
#include "core/time.h"

namespace qingyin {

struct VideoWriteRequest {
  std::filesystem::path target;  // .mp4, .mov or .mkv
  int width = 0, height = 0;     // both even
  FrameRate rate;
  Overwrite overwrite = Overwrite::kNo;
};

/// Encodes frames into a silent video file, for pictures that this program made itself.
class VideoWriter {
 public:
  virtual ~VideoWriter() = default;
  /// The next frame, sRGB [height, width, 3]. @throws Error kIo
  virtual void write(std::span<const std::uint8_t> rgb) = 0;
  /// Flushes, closes and commits under the final name. @throws Error kIo
  virtual void finish() = 0;
};

/// The encoder is the best that the installed FFmpeg has: H.264 (openh264, x264), else MPEG-4.
/// @throws Error  kUsage for odd sizes, a variable rate or another extension; kIo if not writable
std::unique_ptr<VideoWriter> open_video_writer(const VideoWriteRequest& request);

}  // namespace qingyin
