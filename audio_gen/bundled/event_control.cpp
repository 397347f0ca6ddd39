#include "audio_gen/bundled/event_control.h"

#include <algorithm>
#include <cmath>

#include "audio_gen/bundled/representation.h"

namespace qingyin::bundled {
namespace {

constexpr double kTokenSeconds = static_cast<double>(kTokenSamples) / kSampleRate;
constexpr double kOldSeconds = 2;
constexpr double kLevelRangeDb = 40;
constexpr double kCurveStep = 0.01;

/// Mean of the curve in [from, to) seconds; its last value goes on for ever.
double mean_level(std::span<const float> curve, double from, double to) {
  if (curve.empty()) return 1;
  const auto last = static_cast<std::int64_t>(curve.size()) - 1;
  const auto begin = std::clamp<std::int64_t>(std::llround(from / kCurveStep), 0, last);
  const auto end = std::clamp<std::int64_t>(std::llround(to / kCurveStep), begin + 1, last + 1);
  double sum = 0;
  for (auto i = begin; i < end; ++i) sum += curve[static_cast<std::size_t>(i)];
  return sum / static_cast<double>(end - begin);
}

}  // namespace

std::vector<float> event_control(const SoundCourse& course, std::int64_t first,
                                 std::int64_t count) {
  std::vector<float> control;
  for (std::int64_t k = first; k < first + count; ++k) {
    const double from = static_cast<double>(k - 1) * kTokenSeconds, to = from + kTokenSeconds;
    double level = 1, active = 1, age = 1;
    if (!course.is_texture) {
      const double end = course.is_sustained ? course.duration_s : to;
      const double overlap = std::min(to, end) - std::max(from, 0.0);
      active = std::clamp(overlap / kTokenSeconds, 0.0, 1.0);
      level = course.is_sustained ? mean_level(course.level_curve, from, to) : 1;
      age = std::clamp(from / kOldSeconds, 0.0, 1.0);
    }
    const double level_db = 20 * std::log10(std::max(level, 1e-6));
    const double shown = active > 0 ? std::max(0.0, 1 + level_db / kLevelRangeDb) : 0;
    control.insert(control.end(), {static_cast<float>(shown), static_cast<float>(active),
                                   static_cast<float>(age)});
  }
  return control;
}

}  // namespace qingyin::bundled
