#include "audio_gen/mmaudio/window_plan.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace qingyin::mmaudio {
namespace {

// In segments. The last window may begin up to 4 later than asked for: that leaves 0.96 s.
constexpr std::int64_t kShortestStride = 10, kLongestStride = 18;
constexpr double kLargestOffset = 0.16;     // latents
constexpr std::int64_t kHalfJoinAtCut = 4;  // latents
constexpr double kSegmentSeconds = 0.32;    // from one segment to the next
constexpr double kTolerance = 1e-6;         // seconds

double latent_rate(const SoundFormat& format) {
  return static_cast<double>(format.sample_rate_hz) /
         static_cast<double>(format.hop * kMelFramesPerLatent);
}

double latent_place(const SoundFormat& format, std::int64_t segment) {
  return kSegmentSeconds * latent_rate(format) * static_cast<double>(segment);
}

bool can_begin(const SoundFormat& format, std::int64_t segment) {
  const double place = latent_place(format, segment);
  return std::abs(place - std::round(place)) <= kLargestOffset;
}

Window window_at(const SoundFormat& format, std::int64_t segment, std::int64_t segments) {
  const SequenceLengths lengths = sequence_lengths_of(format, segments);
  return {.first_segment = segment,
          .segments = segments,
          .first_picture = std::llround(kSegmentSeconds * kClipRate * static_cast<double>(segment)),
          .pictures = lengths.clip,
          .first_latent = std::llround(latent_place(format, segment)),
          .latents = lengths.latents};
}

std::int64_t segments_covering(Seconds duration) {
  const double beyond_first = duration.count() - 2 * kSegmentSeconds - kTolerance;
  return 1 + std::max<std::int64_t>(0, std::llround(std::ceil(beyond_first / kSegmentSeconds)));
}

/// A cut well inside of the overlap that windows beginning at two segments have.
std::optional<Seconds> cut_between(std::int64_t earlier, std::int64_t later,
                                   const std::vector<Seconds>& cuts) {
  const Seconds begin(kSegmentSeconds * static_cast<double>(later) + kSegmentSeconds / 2);
  const Seconds end = Seconds(kSegmentSeconds * static_cast<double>(earlier)) +
                      duration_of(kWindowSegments) - Seconds(kSegmentSeconds / 2);
  const auto found = std::lower_bound(cuts.begin(), cuts.end(), begin);
  if (found == cuts.end() || *found > end) return std::nullopt;
  return *found;
}

/// Where the next window begins: as late as can be, with a cut in the overlap if there is one.
std::int64_t next_begin(const SoundFormat& format, std::int64_t begin, std::int64_t last,
                        const std::vector<Seconds>& cuts) {
  if (last - begin <= kLongestStride) {
    while (!can_begin(format, last)) ++last;
    return last;
  }
  std::optional<std::int64_t> latest;
  for (std::int64_t next = begin + kLongestStride; next >= begin + kShortestStride; --next) {
    if (!can_begin(format, next)) continue;
    if (cut_between(begin, next, cuts)) return next;
    if (!latest) latest = next;
  }
  return latest.value_or(begin + kLongestStride);
}

Join join_of(const SoundFormat& format, const Window& earlier, const Window& later,
             const std::vector<Seconds>& cuts) {
  const Join whole{later.first_latent, earlier.end_latent()};
  const auto cut = cut_between(earlier.first_segment, later.first_segment, cuts);
  if (!cut) return whole;
  const std::int64_t place = std::llround(cut->count() * latent_rate(format));
  return {std::clamp(place - kHalfJoinAtCut, whole.from, whole.to),
          std::clamp(place + kHalfJoinAtCut, whole.from, whole.to)};
}

}  // namespace

float Join::earlier(std::int64_t latent) const {
  if (latent < from) return 1;
  if (latent >= to) return 0;
  return 1 - (static_cast<float>(latent - from) + 0.5F) / static_cast<float>(to - from);
}

WindowPlan plan_windows(const SoundFormat& format, Seconds duration,
                        const std::vector<Seconds>& cuts) {
  const std::int64_t segments = segments_covering(duration);
  WindowPlan plan;
  plan.windows.push_back(window_at(format, 0, std::min(segments, kWindowSegments)));
  const std::int64_t last = segments - kWindowSegments;
  while (plan.windows.back().first_segment < last) {
    const std::int64_t begin = next_begin(format, plan.windows.back().first_segment, last, cuts);
    const Window next = window_at(format, begin, kWindowSegments);
    plan.joins.push_back(join_of(format, plan.windows.back(), next, cuts));
    plan.windows.push_back(next);
  }
  return plan;
}

Window endless_window(const SoundFormat& format, std::int64_t index) {
  return window_at(format, index * kLongestStride, kWindowSegments);
}

Join endless_join(const SoundFormat& format, std::int64_t index) {
  return {endless_window(format, index + 1).first_latent,
          endless_window(format, index).end_latent()};
}

}  // namespace qingyin::mmaudio
