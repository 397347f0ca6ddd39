#include "core/media/sound_decoder.h"

namespace qingyin::media {

SoundDecoder::SoundDecoder(Demuxer& demuxer, int stream) : demuxer_(demuxer) {
  const MediaLog::Scope scope(demuxer.log());
  const AVStream& from = demuxer.stream(stream);
  const AVCodec* decoder = allowed_decoder(from.codecpar->codec_id);
  if (!decoder) {
    demuxer.refuse(std::string("its sound is coded as ") +
                       avcodec_get_name(from.codecpar->codec_id) +
                       ", which is not accepted; convert it to AAC first",
                   "unreadable");
  }
  context_.reset(allocated(avcodec_alloc_context3(decoder)));
  avcodec_parameters_to_context(context_.get(), from.codecpar);
  context_->pkt_timebase = from.time_base;
  context_->max_samples = kMaxSamplesPerFrame;
  context_->thread_count = 1;
  context_->opaque = &demuxer.log();
  const int error = avcodec_open2(context_.get(), decoder, nullptr);
  if (error < 0) {
    demuxer.refuse("its sound cannot be decoded (" + ffmpeg_message(error) + ")", "unreadable");
  }
}

bool SoundDecoder::next(AVFrame& frame) {
  const MediaLog::Scope scope(demuxer_.log());
  demuxer_.progress();  // the time that the caller took is not the file's
  while (true) {
    const int error = avcodec_receive_frame(context_.get(), &frame);
    if (error >= 0) {
      demuxer_.progress();
      demuxer_.count_decoded(frame);
      return true;
    }
    demuxer_.check_progress();
    if (error == AVERROR_EOF) return false;
    if (error != AVERROR(EAGAIN)) {
      ++damaged_;
      if (drained_) return false;
      continue;
    }
    if (drained_) return false;
    drained_ = !demuxer_.read(*packet_);
    if (!drained_ && packet_->size == 0) continue;  // FFmpeg would take it for the end
    if (avcodec_send_packet(context_.get(), drained_ ? nullptr : packet_.get()) < 0) ++damaged_;
    av_packet_unref(packet_.get());
  }
}

}  // namespace qingyin::media
