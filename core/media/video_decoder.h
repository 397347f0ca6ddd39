#pragma once

#include <queue>
#include <vector>

#include "core/media/demuxer.h"
#include "core/media/ffmpeg.h"

namespace qingyin::media {

/// Decodes one picture stream. Damage is counted, never thrown.
class VideoDecoder {
 public:
  /// @throws Error kInvalidInput, reason "unreadable", if no accepted decoder opens
  VideoDecoder(Demuxer& demuxer, int stream, int threads);

  /// Hands over one packet; null: there are no more. Call `receive` until it says false after it.
  void send(const AVPacket* packet);
  /// The next frame in display order with its time in `best_effort_timestamp`; false: send more.
  /// `reordered_opaque` is the number of the packet that the frame came from, from 0.
  /// Where a container stores decoding times only (AVI), the n-th frame shown gets the n-th of
  /// them.
  bool receive(AVFrame& frame);

  /// Packets that could not be decoded.
  std::int64_t damaged() const { return damaged_; }
  bool ended() const { return ended_; }
  const AVCodecContext& context() const { return *context_; }

 private:
  Demuxer& demuxer_;
  CodecHandle context_;
  std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> decoding_times_;
  std::int64_t damaged_ = 0, sent_ = 0;
  bool ended_ = false;
};

}  // namespace qingyin::media
