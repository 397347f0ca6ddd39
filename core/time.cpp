#include "core/time.h"

#include <charconv>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

std::int64_t parse_whole(std::string_view text, std::string_view all) {
  std::int64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(status == std::errc() && end == text.data() + text.size() && value >= 0,
          ErrorCode::kInvalidInput,
          "frame rate: " + excerpt(all) + " is not a fraction such as 30000/1001");
  return value;
}

}  // namespace

Seconds FrameRate::time_of(std::int64_t frame) const {
  require(num > 0, ErrorCode::kInternal, "frame rate: a variable rate has no time per frame");
  return Seconds(static_cast<double>(frame) * static_cast<double>(den) / static_cast<double>(num));
}

std::string to_string(FrameRate rate) {
  return std::to_string(rate.num) + "/" + std::to_string(rate.den);
}

FrameRate parse_frame_rate(std::string_view text) {
  const auto slash = text.find('/');
  FrameRate rate{parse_whole(text.substr(0, slash), text), 1};
  if (slash != std::string_view::npos) rate.den = parse_whole(text.substr(slash + 1), text);
  require(rate.den > 0, ErrorCode::kInvalidInput,
          "frame rate: " + excerpt(text) + " has a zero denominator");
  return rate;
}

std::int64_t samples_for(Seconds duration, int sample_rate_hz) {
  return std::llround(duration.count() * sample_rate_hz);
}

}  // namespace qingyin
