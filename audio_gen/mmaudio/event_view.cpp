#include "audio_gen/mmaudio/event_view.h"

#include <algorithm>
#include <cmath>

namespace qingyin::mmaudio {
namespace {

constexpr double kBefore = 1;     // seconds of the event's own clock before its onset
constexpr double kBeside = 0.16;  // seconds around the event that count as its time
constexpr double kRounding = 1e-9;
constexpr double kSegmentHop = static_cast<double>(kSegmentStep) / kSyncRate;
constexpr double kTokenHop = static_cast<double>(kSegmentFrames) / kSegmentTokens / kSyncRate;

double token_middle(std::int64_t segment, std::int64_t token) {
  return static_cast<double>(segment) * kSegmentHop +
         (static_cast<double>(token) + 0.5) * kTokenHop;
}

}  // namespace

EventView::EventView(Seconds onset, Seconds offset) : clip_onset_(onset), clip_offset_(offset) {
  first_segment_ =
      static_cast<std::int64_t>(std::floor((onset.count() - kBefore) / kSegmentHop + kRounding));
  first_picture_ = std::llround(static_cast<double>(first_segment_) * kSegmentHop * kClipRate);
  const double begin = std::max(0.0, onset.count() - kBeside), end = offset.count() + kBeside;
  pictures_.first = static_cast<std::int64_t>(std::ceil(begin * kClipRate - kRounding));
  pictures_.end = static_cast<std::int64_t>(std::floor(end * kClipRate + kRounding)) + 1;
  // The first segment whose last token, and the last one whose first token, may be seen.
  segments_.first = std::max<std::int64_t>(
      0, static_cast<std::int64_t>(
             std::ceil((begin - token_middle(0, kSegmentTokens - 1)) / kSegmentHop - kRounding)));
  segments_.end = std::max<std::int64_t>(
      segments_.first,
      static_cast<std::int64_t>(std::floor((end - token_middle(0, 0)) / kSegmentHop + kRounding)) +
          1);
}

Seconds EventView::onset() const {
  return clip_onset_ - Seconds(static_cast<double>(first_segment_) * kSegmentHop);
}

Seconds EventView::begin() const {
  return Seconds(std::min(static_cast<double>(pictures_.first) / kClipRate,
                          static_cast<double>(segments_.first) * kSegmentHop));
}

Seconds EventView::end() const {
  return Seconds(std::max(static_cast<double>(pictures_.end) / kClipRate,
                          static_cast<double>(segments_.end + 1) * kSegmentHop));
}

bool EventView::sees(double t) const {
  return t > -kRounding && t > clip_onset_.count() - kBeside - kRounding &&
         t < clip_offset_.count() + kBeside + kRounding;
}

MaskedSight EventView::look(const Window& window, ClipSenses& senses, std::int64_t clip_size,
                            std::int64_t sync_size) const {
  MaskedSight sight;
  sight.clip.resize(static_cast<std::size_t>(window.pictures * clip_size));
  sight.clip_seen.resize(static_cast<std::size_t>(window.pictures));
  sight.sync.resize(static_cast<std::size_t>(window.segments * kSegmentTokens * sync_size));
  sight.sync_seen.resize(static_cast<std::size_t>(window.segments * kSegmentTokens));
  const std::int64_t picture = first_picture_ + window.first_picture;  // of the clip
  const std::int64_t segment = first_segment_ + window.first_segment;
  const auto place = [&sight](const FeatureTensor& rows, std::int64_t row, std::int64_t width,
                              std::vector<float>& to, std::int64_t at, std::uint8_t& seen) {
    std::copy_n(rows.values.begin() + row * width, width, to.begin() + at * width);
    seen = 1;
    sight.sees_nothing = false;
  };
  const RowSpan p{std::max(pictures_.first, picture),
                  std::min(pictures_.end, picture + window.pictures)};
  if (p.first < p.end) {
    const auto rows = senses.pictures(p.first, p.end - p.first);
    for (std::int64_t i = p.first; i < p.end; ++i)
      if (sees(static_cast<double>(i) / kClipRate))
        place(rows, i - p.first, clip_size, sight.clip, i - picture,
              sight.clip_seen[static_cast<std::size_t>(i - picture)]);
  }
  const RowSpan s{std::max(segments_.first, segment),
                  std::min(segments_.end, segment + window.segments)};
  if (s.first < s.end) {
    const auto rows = senses.motion(s.first, s.end - s.first);
    for (std::int64_t i = s.first; i < s.end; ++i) {
      for (std::int64_t token = 0; token < kSegmentTokens; ++token) {
        const std::int64_t at = (i - segment) * kSegmentTokens + token;
        if (sees(token_middle(i, token)))
          place(rows, (i - s.first) * kSegmentTokens + token, sync_size, sight.sync, at,
                sight.sync_seen[static_cast<std::size_t>(at)]);
      }
    }
  }
  return sight;
}

}  // namespace qingyin::mmaudio
