#include "core/media/display_times.h"

#include <algorithm>

namespace qingyin::media {

// Frames that a decoder may hold back before the one in question.
constexpr std::int64_t kWindow = 64;

DisplayTimes::DisplayTimes(const ClipInfo& clip, const MediaLimits& limits)
    : stream_(clip.video_stream),
      demuxer_(clip.path, limits),
      decoder_(demuxer_, clip.video_stream, /*threads=*/1) {
  demuxer_.select({stream_});
}

std::optional<std::int64_t> DisplayTimes::time_of(std::int64_t packet) {
  while (!times_.contains(packet) && sent_ <= packet + kWindow && decode_more()) {
  }
  const auto found = times_.find(packet);
  if (found == times_.end()) return std::nullopt;
  const std::int64_t time = found->second;
  times_.erase(times_.begin(), std::next(found));
  return time;
}

std::int64_t DisplayTimes::delay() const { return decoder_.context().has_b_frames * frame_ticks_; }

bool DisplayTimes::decode_more() {
  if (drained_) return false;
  drained_ = !demuxer_.read(*packet_);
  if (!drained_) {
    frame_ticks_ = std::max<std::int64_t>(packet_->duration, 1);
    ++sent_;
  }
  decoder_.send(drained_ ? nullptr : packet_.get());
  av_packet_unref(packet_.get());
  while (decoder_.receive(*frame_)) {
    times_[frame_->reordered_opaque] = frame_->best_effort_timestamp;
  }
  return true;
}

}  // namespace qingyin::media
