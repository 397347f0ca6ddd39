#pragma once

#include <cstdint>

#include "core/media/clip.h"
#include "core/media/ffmpeg.h"

namespace qingyin::media {

/// Ticks that `count` frames last at the average rate that a stream claims (25 per second if none).
std::int64_t ticks_of_frames(std::int64_t count, const AVStream& stream);

/// Presentation times of decoded frames, in ticks since the first shown frame. Frames without a
/// time of their own (Matroska stores none before 0) follow their predecessor at the average rate.
class FrameClock {
 public:
  FrameClock(const ClipInfo& clip, const AVStream& stream)
      : stream_(stream), start_(clip.start_ticks) {}

  std::int64_t ticks_of(const AVFrame& frame) {
    if (frame.best_effort_timestamp != AV_NOPTS_VALUE) {
      last_known_ = frame.best_effort_timestamp - start_;
      since_known_ = 0;
    }
    return last_known_ + ticks_of_frames(since_known_++, stream_);
  }

 private:
  const AVStream& stream_;
  std::int64_t start_;
  std::int64_t last_known_ = 0, since_known_ = 0;
};

}  // namespace qingyin::media
