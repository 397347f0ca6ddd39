#include "core/media/audio_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <utility>

#include "core/media/demuxer.h"
#include "core/media/isolation/isolated.h"
#include "core/media/sound_decoder.h"
#include "core/media/sound_file.h"

namespace qingyin {
namespace {

constexpr int kRate = 48000;
constexpr std::size_t kChannels = 2;
// Time stamps that wander by less than this are jitter; more is a gap or an overlap.
constexpr std::int64_t kJitterSamples = kRate * 30 / 1000;

class Reader final : public AudioReader {
 public:
  Reader(const ClipInfo& clip, const MediaLimits& limits, media::Demuxer::Files files)
      : demuxer_(clip.path, limits, media::Demuxer::EditLists::kFollow, files),
        stream_(checked_stream(clip)),
        decoder_(demuxer_, stream_) {
    demuxer_.select({stream_});
    clip_start_ = static_cast<double>(clip.start_ticks) / clip.tick_rate.per_second();
    step();
    if (ended_ && decoder_.damaged() > 0) {
      demuxer_.refuse("no part of its sound can be decoded", "unreadable");
    }
  }

  void read(std::span<float> interleaved) override {
    std::size_t done = 0;
    while (done < interleaved.size()) {
      const auto target = interleaved.subspan(done);
      if (taken_ < ready_.size()) {
        const std::size_t count = std::min(target.size(), ready_.size() - taken_);
        std::copy_n(ready_.data() + taken_, count, target.data());
        taken_ += count;
        done += count;
      } else if (silence_ > 0 || ended_) {
        const auto wanted = static_cast<std::int64_t>(target.size() / kChannels);
        const std::int64_t count = ended_ ? wanted : std::min(silence_, wanted);
        const auto values = ended_ ? target.size() : static_cast<std::size_t>(count) * kChannels;
        std::fill_n(target.data(), values, 0.0F);
        silence_ -= ended_ ? 0 : count;
        done += values;
      } else {
        step();
      }
    }
  }

 private:
  int checked_stream(const ClipInfo& clip) const {
    if (!clip.audio_stream) demuxer_.refuse("has no sound that can be decoded", "no_audio");
    if (*clip.audio_stream < 0 || *clip.audio_stream >= demuxer_.stream_count()) {
      demuxer_.refuse("has changed since it was probed", "unreadable");
    }
    return *clip.audio_stream;
  }

  // Makes the next samples ready: silence up to a frame that comes late, or the frame itself.
  void step() {
    ready_.clear();
    taken_ = 0;
    if (has_frame_) {
      convert(frame_.get());
      has_frame_ = false;
      return;
    }
    if (!decoder_.next(*frame_)) {
      convert(nullptr);
      ended_ = true;
      return;
    }
    if (!resampler_ || format_changed()) restart();
    place_frame();
    if (silence_ > 0) {
      has_frame_ = true;
    } else {
      convert(frame_.get());
    }
  }

  // Compares where the frame belongs with where its first sample would land.
  void place_frame() {
    const std::int64_t pts = frame_->pts;
    const AVRational time_base = demuxer_.stream(stream_).time_base;
    if (pts == AV_NOPTS_VALUE) return;
    const double seconds = static_cast<double>(pts) * av_q2d(time_base) - clip_start_;
    const std::int64_t wanted = std::llround(seconds * kRate);
    const std::int64_t landing =
        position_ - to_drop_ + (resampler_ ? swr_get_delay(resampler_.get(), kRate) : 0);
    const std::int64_t off = wanted - landing;
    // The start is exact up to the rounding of the container's stamps, later ones may jitter.
    const std::int64_t tolerance =
        started_ ? kJitterSamples : std::llround(av_q2d(time_base) * kRate);
    started_ = true;
    if (std::abs(off) <= tolerance) return;
    restart();
    to_drop_ = std::max<std::int64_t>(position_ - wanted, 0);
    silence_ = std::max<std::int64_t>(wanted - position_, 0);
    position_ += silence_;
  }

  bool format_changed() const {
    return frame_->format != format_ || frame_->sample_rate != rate_ ||
           frame_->ch_layout.nb_channels != channels_;
  }

  void restart() {
    if (resampler_) convert(nullptr);
    format_ = frame_->format;
    rate_ = frame_->sample_rate;
    channels_ = frame_->ch_layout.nb_channels;
    AVChannelLayout layout = {};
    if (frame_->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
      av_channel_layout_default(&layout, channels_);
    } else {
      av_channel_layout_copy(&layout, &frame_->ch_layout);
    }
    AVChannelLayout stereo = AV_CHANNEL_LAYOUT_STEREO;
    SwrContext* context = nullptr;
    int error = swr_alloc_set_opts2(&context, &stereo, AV_SAMPLE_FMT_FLT, kRate, &layout,
                                    static_cast<AVSampleFormat>(format_), rate_, 0, nullptr);
    resampler_.reset(context);
    av_channel_layout_uninit(&layout);
    if (error >= 0) error = configure();
    if (error < 0) {
      demuxer_.refuse("its sound (" + std::to_string(channels_) + " channels at " +
                          std::to_string(rate_) + " Hz) cannot be converted to stereo",
                      "unreadable");
    }
  }

  int configure() {
    const media::MediaLog::Scope scope(demuxer_.log());
    // A downmix must not get louder than full scale, and one channel keeps its level.
    av_opt_set_double(resampler_.get(), "rematrix_maxval", 1.0, 0);
    constexpr std::array<double, 2> kBoth{1.0, 1.0};
    if (channels_ == 1) swr_set_matrix(resampler_.get(), kBoth.data(), 1);
    return swr_init(resampler_.get());
  }

  // Appends a frame, or what the resampler still holds, to the samples that are ready.
  void convert(const AVFrame* frame) {
    if (!resampler_) return;
    const int input = frame ? frame->nb_samples : 0;
    const int room = swr_get_out_samples(resampler_.get(), input);
    if (room <= 0) return;
    const std::size_t old_size = ready_.size();
    ready_.resize(old_size + static_cast<std::size_t>(room) * kChannels);
    auto* out = reinterpret_cast<std::uint8_t*>(ready_.data() + old_size);
    const int got = swr_convert(
        resampler_.get(), &out, room,
        frame ? const_cast<const std::uint8_t**>(frame->extended_data) : nullptr, input);
    const std::int64_t made = std::max(got, 0);
    ready_.resize(old_size + static_cast<std::size_t>(made) * kChannels);
    const std::int64_t dropped = std::min(to_drop_, made);
    const auto first = ready_.begin() + static_cast<std::ptrdiff_t>(old_size);
    ready_.erase(first, first + dropped * static_cast<std::int64_t>(kChannels));
    to_drop_ -= dropped;
    position_ += made - dropped;
  }

  media::Demuxer demuxer_;
  int stream_;
  media::SoundDecoder decoder_;
  double clip_start_ = 0;  // container time of clock 0, in seconds
  media::FrameHandle frame_ = media::make_frame();
  bool has_frame_ = false;  // the frame waits until the silence before it was delivered
  media::SwrHandle resampler_;
  int format_ = -1, rate_ = 0, channels_ = 0;
  std::vector<float> ready_;
  std::size_t taken_ = 0;
  std::int64_t position_ = 0;  // clock of the next sample that is made ready
  std::int64_t to_drop_ = 0;   // samples that come before their time and are left out
  std::int64_t silence_ = 0;   // samples of silence after what is ready
  bool started_ = false, ended_ = false;
};

}  // namespace

std::unique_ptr<AudioReader> open_audio(const ClipInfo& clip, const MediaLimits& limits) {
  if (clip.isolated) return media::open_isolated_audio(clip, limits);
  return std::make_unique<Reader>(clip, limits, media::Demuxer::Files::kVideos);
}

std::unique_ptr<AudioReader> media::open_sound(const ClipInfo& clip, const MediaLimits& limits) {
  return std::make_unique<Reader>(clip, limits, Demuxer::Files::kVideosAndSounds);
}

}  // namespace qingyin
