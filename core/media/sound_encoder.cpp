#include "core/media/sound_encoder.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace qingyin::media {
namespace {

constexpr int kRate = 48000;
constexpr std::size_t kChannels = 2;

const AVCodec* encoder_for(AVCodecID codec) {
  const AVCodec* encoder = codec == AV_CODEC_ID_OPUS ? avcodec_find_encoder_by_name("libopus")
                                                     : avcodec_find_encoder(codec);
  if (encoder) return encoder;
  throw Error(ErrorCode::kInternal, std::string("media: this FFmpeg has no encoder for ") +
                                        avcodec_get_name(codec) +
                                        "; install one that has (Debian: libavcodec59)");
}

void check(int error, const char* what) {
  if (error >= 0) return;
  throw Error(ErrorCode::kInternal,
              std::string("media: ") + what + " failed: " + ffmpeg_message(error));
}

CodecHandle open_encoder(AVCodecID codec, bool global_header) {
  const AVCodec* encoder = encoder_for(codec);
  CodecHandle context(allocated(avcodec_alloc_context3(encoder)));
  context->sample_rate = kRate;
  context->ch_layout = AV_CHANNEL_LAYOUT_STEREO;
  context->time_base = {1, kRate};
  context->thread_count = 1;
  context->flags |= AV_CODEC_FLAG_BITEXACT;
  if (global_header) context->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  if (codec == AV_CODEC_ID_AAC) {
    context->sample_fmt = AV_SAMPLE_FMT_FLTP;
    context->bit_rate = 256000;
  } else if (codec == AV_CODEC_ID_OPUS) {
    context->sample_fmt = AV_SAMPLE_FMT_FLT;
    context->bit_rate = 192000;
  } else {
    context->sample_fmt = AV_SAMPLE_FMT_S32;
    context->bits_per_raw_sample = 24;
  }
  check(avcodec_open2(context.get(), encoder, nullptr), "opening the sound encoder");
  return context;
}

void fill(AVFrame& frame, const float* interleaved) {
  const auto count = static_cast<std::size_t>(frame.nb_samples);
  if (frame.format == AV_SAMPLE_FMT_FLTP) {
    for (std::size_t channel = 0; channel < kChannels; ++channel) {
      auto* plane = reinterpret_cast<float*>(frame.extended_data[channel]);
      for (std::size_t i = 0; i < count; ++i) plane[i] = interleaved[kChannels * i + channel];
    }
  } else if (frame.format == AV_SAMPLE_FMT_FLT) {
    std::copy_n(interleaved, count * kChannels, reinterpret_cast<float*>(frame.data[0]));
  } else {
    auto* out = reinterpret_cast<std::int32_t*>(frame.data[0]);
    constexpr double kFullScale = 8388607.0;  // 24 bits, stored in the upper ones
    for (std::size_t i = 0; i < count * kChannels; ++i) {
      const double value = std::clamp(static_cast<double>(interleaved[i]), -1.0, 1.0);
      out[i] = static_cast<std::int32_t>(std::lround(value * kFullScale)) * 256;
    }
  }
}

}  // namespace

SoundEncoder::SoundEncoder(AVCodecID codec, std::int64_t length, bool global_header, Sink sink)
    : context_(open_encoder(codec, global_header)), sink_(std::move(sink)) {
  if (codec != AV_CODEC_ID_AAC) return;
  const std::int64_t frame = context_->frame_size;
  const std::int64_t filling = (frame - length % frame) % frame;
  pending_.assign(static_cast<std::size_t>(filling) * kChannels, 0.0F);
  next_pts_ = -filling;
}

void SoundEncoder::write(std::span<const float> interleaved) {
  const std::size_t frame = static_cast<std::size_t>(context_->frame_size) * kChannels;
  while (!interleaved.empty()) {
    const std::size_t count = std::min(interleaved.size(), frame - pending_.size());
    for (const float value : interleaved.first(count)) {
      pending_.push_back(std::isfinite(value) ? value : 0.0F);
    }
    interleaved = interleaved.subspan(count);
    if (pending_.size() == frame) encode_pending(frame / kChannels);
  }
}

void SoundEncoder::finish() {
  if (!pending_.empty()) encode_pending(pending_.size() / kChannels);
  encode(nullptr);
}

void SoundEncoder::encode_pending(std::size_t samples) {
  const FrameHandle frame = make_frame();
  frame->format = context_->sample_fmt;
  frame->sample_rate = kRate;
  frame->ch_layout = context_->ch_layout;
  frame->nb_samples = static_cast<int>(samples);
  frame->pts = next_pts_;
  check(av_frame_get_buffer(frame.get(), 0), "allocating a sound frame");
  fill(*frame, pending_.data());
  next_pts_ += frame->nb_samples;
  pending_.clear();
  encode(frame.get());
}

void SoundEncoder::encode(const AVFrame* frame) {
  check(avcodec_send_frame(context_.get(), frame), "encoding the sound");
  while (true) {
    const int error = avcodec_receive_packet(context_.get(), packet_.get());
    if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) return;
    check(error, "encoding the sound");
    sink_(*packet_);
    av_packet_unref(packet_.get());
  }
}

}  // namespace qingyin::media
