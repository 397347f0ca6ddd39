#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "core/media/clip.h"

namespace qingyin {

/// One picture, upright. `pixels` is [height, width, channels], uint8, row-major;
/// 3 channels are sRGB, 1 channel is luma.
struct Frame {
  std::vector<std::uint8_t> pixels;
  std::int64_t height = 0, width = 0;
  int channels = 3;
  Seconds time{0};  // presentation time on the clip's clock
};

/// Frames of one clip in display order, at the rate and size asked for.
class FrameReader {
 public:
  virtual ~FrameReader() = default;
  virtual const ClipInfo& clip() const = 0;
  /// None at the end. @throws Error kInvalidInput if nothing decodes, or over a limit
  virtual std::optional<Frame> next() = 0;
  /// What was odd while decoding (skipped damage, truncation with the time reached), for the user.
  virtual std::vector<std::string> warnings() const { return {}; }
};

enum class FrameColor { kRgb, kGrey };

/// How frames are wanted.
struct FrameRequest {
  /// None: every frame at its own presentation time. Otherwise sample-and-hold on the clock:
  /// the frame that is shown at k / rate, for every k with k / rate < duration.
  std::optional<FrameRate> rate = std::nullopt;
  /// Scaled (area-averaged, aspect kept, square pixels) so that the longer side is at most this; 0:
  /// as stored.
  std::int64_t longest_side = 0;
  FrameColor color = FrameColor::kRgb;
  int decode_threads = 2;
};

/// @throws Error as `probe`
std::unique_ptr<FrameReader> open_frames(const std::filesystem::path& path,
                                         const FrameRequest& request = {},
                                         const MediaLimits& limits = {});

/// The same for a clip that was probed before: the file is not scanned again.
std::unique_ptr<FrameReader> open_frames(const ClipInfo& clip, const FrameRequest& request = {},
                                         const MediaLimits& limits = {});

}  // namespace qingyin
