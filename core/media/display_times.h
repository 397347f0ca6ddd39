#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "core/media/clip.h"
#include "core/media/demuxer.h"
#include "core/media/frame_clock.h"
#include "core/media/video_decoder.h"

namespace qingyin::media {

/// Presentation times for packets of a picture that have none (AVI stores decoding times only). A
/// decoder runs ahead and tells the display order; memory is a window of packets.
class DisplayTimes {
 public:
  DisplayTimes(const ClipInfo& clip, const MediaLimits& limits);

  /// The presentation time of the packet with this number (from 0, asked for in order) in ticks of
  /// its stream. None if it never becomes a frame.
  std::optional<std::int64_t> time_of(std::int64_t packet);
  /// The decoding time that goes with it: the decoding times as stored, in order, moved back by as
  /// many packets as the decoder reorders, so that none lies after its presentation time.
  /// To be asked once for each packet, after `time_of`.
  std::int64_t decoding_time_of(std::int64_t stored);

 private:
  bool decode_more();

  int stream_;
  Demuxer demuxer_;
  VideoDecoder decoder_;
  PacketHandle packet_ = make_packet();
  FrameHandle frame_ = make_frame();
  FrameClock clock_;
  std::int64_t start_;
  std::map<std::int64_t, std::int64_t> times_;
  std::deque<std::int64_t> stored_;  // decoding times not yet given out
  std::int64_t sent_ = 0;
  bool drained_ = false;
};

}  // namespace qingyin::media
