#include "core/media/display_times.h"

#include <iterator>

namespace qingyin::media {

// Frames that a decoder may hold back before the one in question.
constexpr std::int64_t kWindow = 64;

DisplayTimes::DisplayTimes(const ClipInfo& clip, const MediaLimits& limits)
    : stream_(clip.video_stream),
      demuxer_(clip.path, limits),
      decoder_(demuxer_, clip.video_stream, /*threads=*/1),
      clock_(clip, demuxer_.stream(clip.video_stream)),
      start_(clip.start_ticks) {
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

std::int64_t DisplayTimes::decoding_time_of(std::int64_t stored) {
  if (stored_.empty()) {
    const AVStream& stream = demuxer_.stream(stream_);
    for (int back = decoder_.context().has_b_frames; back > 0; --back) {
      stored_.push_back(stored - ticks_of_frames(back, stream));
    }
  }
  stored_.push_back(stored);
  const std::int64_t time = stored_.front();
  stored_.pop_front();
  return time;
}

bool DisplayTimes::decode_more() {
  if (drained_) return false;
  drained_ = !demuxer_.read(*packet_);
  if (!drained_) ++sent_;
  decoder_.send(drained_ ? nullptr : packet_.get());
  av_packet_unref(packet_.get());
  while (decoder_.receive(*frame_)) {
    times_[frame_->reordered_opaque] = start_ + clock_.ticks_of(*frame_);
  }
  return true;
}

}  // namespace qingyin::media
