#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "core/media/clip.h"
#include "core/media/demuxer.h"
#include "core/media/video_decoder.h"

namespace qingyin::media {

/// Presentation times for the packets of a picture whose container stores decoding times only
/// (AVI). A decoder runs ahead and tells the display order; memory is a window of packets.
class DisplayTimes {
 public:
  DisplayTimes(const ClipInfo& clip, const MediaLimits& limits);

  /// The presentation time of the packet with this number (from 0, asked for in order) in ticks of
  /// its stream. None if it never becomes a frame.
  std::optional<std::int64_t> time_of(std::int64_t packet);
  /// How far decoding times must move back so that none lies after its presentation time.
  std::int64_t delay() const;

 private:
  bool decode_more();

  int stream_;
  Demuxer demuxer_;
  VideoDecoder decoder_;
  PacketHandle packet_ = make_packet();
  FrameHandle frame_ = make_frame();
  std::map<std::int64_t, std::int64_t> times_;
  std::int64_t sent_ = 0, frame_ticks_ = 1;
  bool drained_ = false;
};

}  // namespace qingyin::media
