#pragma once

#include "core/media/demuxer.h"
#include "core/media/ffmpeg.h"

namespace qingyin::media {

/// Decodes one sound stream of a demuxer. Damaged packets are skipped and counted; the hole that
/// they leave shows in the time stamps.
class SoundDecoder {
 public:
  /// @throws Error kInvalidInput, reason "unreadable", if no accepted decoder opens
  SoundDecoder(Demuxer& demuxer, int stream);

  /// The next frame; false at the end of the stream.
  bool next(AVFrame& frame);
  std::int64_t damaged() const { return damaged_; }

 private:
  Demuxer& demuxer_;
  CodecHandle context_;
  PacketHandle packet_ = make_packet();
  std::int64_t damaged_ = 0;
  bool drained_ = false;
};

}  // namespace qingyin::media
