#include "core/media/video_decoder.h"

#include <algorithm>

namespace qingyin::media {

VideoDecoder::VideoDecoder(Demuxer& demuxer, int stream, int threads) : demuxer_(demuxer) {
  const MediaLog::Scope scope(demuxer.log());
  const AVStream& from = demuxer.stream(stream);
  const AVCodec* decoder = allowed_decoder(from.codecpar->codec_id);
  if (!decoder) {
    demuxer.refuse(std::string("its picture is coded as ") +
                       avcodec_get_name(from.codecpar->codec_id) +
                       ", which is not accepted; convert it to H.264 first",
                   "unreadable");
  }
  context_.reset(allocated(avcodec_alloc_context3(decoder)));
  avcodec_parameters_to_context(context_.get(), from.codecpar);
  context_->pkt_timebase = from.time_base;
  context_->framerate = from.avg_frame_rate;
  context_->max_pixels = demuxer.limits().max_pixels;
  context_->opaque = &demuxer.log();
  constexpr int kMaxThreads = 4;
  context_->thread_count = std::clamp(threads, 1, kMaxThreads);
  context_->thread_type = FF_THREAD_FRAME | FF_THREAD_SLICE;
  const int error = avcodec_open2(context_.get(), decoder, nullptr);
  if (error < 0) {
    demuxer.refuse("its picture cannot be decoded (" + ffmpeg_message(error) + ")", "unreadable");
  }
}

void VideoDecoder::send(const AVPacket* packet) {
  const MediaLog::Scope scope(demuxer_.log());
  context_->reordered_opaque = sent_++;
  if (packet && packet->size == 0) return;  // FFmpeg would take it for the end
  const int error = avcodec_send_packet(context_.get(), packet);
  if (error < 0 && error != AVERROR_EOF) {
    ++damaged_;
  } else if (packet && packet->dts != AV_NOPTS_VALUE &&
             (packet->pts == AV_NOPTS_VALUE || demuxer_.has_decoding_times_only())) {
    decoding_times_.push(packet->dts);
  }
}

bool VideoDecoder::receive(AVFrame& frame) {
  const MediaLog::Scope scope(demuxer_.log());
  demuxer_.progress();  // the time that the caller took is not the file's
  // Each error takes away at least one packet; the bound is for a decoder that breaks that rule.
  for (int attempts = 0; attempts < 10000; ++attempts) {
    const int error = avcodec_receive_frame(context_.get(), &frame);
    if (error >= 0) {
      demuxer_.progress();
      demuxer_.count_decoded(frame);
      const bool is_untimed = frame.pts == AV_NOPTS_VALUE || demuxer_.has_decoding_times_only();
      if (is_untimed && !decoding_times_.empty()) {
        frame.best_effort_timestamp = decoding_times_.top();
        decoding_times_.pop();
      }
      return true;
    }
    demuxer_.check_progress();
    if (error == AVERROR_EOF) ended_ = true;
    if (error == AVERROR_EOF || error == AVERROR(EAGAIN)) return false;
    ++damaged_;
  }
  ended_ = true;
  return false;
}

}  // namespace qingyin::media
