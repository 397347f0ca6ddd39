#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/media/ffmpeg.h"

namespace qingyin::media {

/// Encodes 48 kHz stereo so that a decoder yields exactly the samples that went in, none before
/// and none after. Packets carry time stamps in samples; sample 0 has time 0, so what a decoder
/// must drop at the start (encoder delay, filling) has negative times.
///
/// AAC frames are 1024 samples and FFmpeg's MP4 reader cannot cut the last one short; so the
/// filling that makes the frames come out even is put at the start, where the edit list hides it.
class SoundEncoder {
 public:
  using Sink = std::function<void(AVPacket&)>;

  /// @param codec   AV_CODEC_ID_AAC, _FLAC or _OPUS
  /// @param length  samples that will be written in all
  /// @throws Error kInternal if this FFmpeg has no such encoder
  SoundEncoder(AVCodecID codec, std::int64_t length, bool global_header, Sink sink);

  /// `interleaved` is [length, 2].
  void write(std::span<const float> interleaved);
  /// Encodes what is left.
  void finish();

  const AVCodecContext& context() const { return *context_; }

 private:
  void encode(const AVFrame* frame);
  void encode_pending(std::size_t samples);

  CodecHandle context_;
  Sink sink_;
  PacketHandle packet_ = make_packet();
  std::vector<float> pending_;  // interleaved, less than one frame
  std::int64_t next_pts_ = 0;
};

}  // namespace qingyin::media
