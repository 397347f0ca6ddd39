#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace qingyin {

/// A time or a span on the clip's own clock; 0 is the presentation time of the first shown frame.
using Seconds = std::chrono::duration<double>;

/// Frames per second as an exact fraction; 29.97 fps is {30000, 1001}, a variable rate is {0, 1}.
struct FrameRate {
  std::int64_t num = 0;
  std::int64_t den = 1;

  bool is_variable() const { return num == 0; }
  double per_second() const { return static_cast<double>(num) / static_cast<double>(den); }
  /// Presentation time of a frame. @throws Error kInternal on a variable rate
  Seconds time_of(std::int64_t frame) const;

  bool operator==(const FrameRate&) const = default;
};

/// "30000/1001"; a whole rate keeps its denominator ("25/1").
std::string to_string(FrameRate rate);

/// Reads "30000/1001" or "25". @throws Error kInvalidInput on anything else, a negative number or a
/// zero denominator
FrameRate parse_frame_rate(std::string_view text);

/// Number of samples that last as long as `duration`: round(duration * rate), halves away from
/// zero.
std::int64_t samples_for(Seconds duration, int sample_rate_hz);

}  // namespace qingyin
