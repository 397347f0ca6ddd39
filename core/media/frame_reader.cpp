#include "core/media/frame_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/media/demuxer.h"
#include "core/media/frame_clock.h"
#include "core/media/isolation/isolated.h"
#include "core/media/picture_scaler.h"
#include "core/media/video_decoder.h"

namespace qingyin {
namespace {

using media::Demuxer;

// Decoded frames of the picture with strictly increasing times from the first shown frame on.
class ShownFrames {
 public:
  ShownFrames(const ClipInfo& clip, int threads, const MediaLimits& limits)
      : clip_(clip),
        demuxer_(clip.path, limits),
        decoder_(demuxer_, checked_stream(clip), threads),
        clock_(clip, demuxer_.stream(clip.video_stream)) {
    demuxer_.select({clip.video_stream});
  }

  // Moves on to the next frame; false at the end.
  bool advance() {
    while (decode_one()) {
      const std::int64_t time = clock_.ticks_of(*frame_);
      if (count_ > 0 && time <= ticks_) {
        ++out_of_order_;
        continue;
      }
      if (++count_ > demuxer_.limits().max_frames) {
        demuxer_.refuse("has too many frames; cut it into parts", "limit");
      }
      ticks_ = time;
      return true;
    }
    if (count_ == 0) {
      demuxer_.refuse("no frame of its picture can be decoded", "unreadable");
    }
    return false;
  }

  const AVFrame& frame() const { return *frame_; }
  // Hands the present frame over; the next call must be `advance`.
  void move_to(AVFrame& target) {
    av_frame_unref(&target);
    av_frame_move_ref(&target, frame_.get());
  }
  std::int64_t ticks() const { return ticks_; }  // since the first shown frame
  const Demuxer& demuxer() const { return demuxer_; }

  std::vector<std::string> warnings() const {
    std::vector<std::string> result;
    const auto say = [&](std::int64_t count, const std::string& what) {
      if (count > 0) result.push_back(std::to_string(count) + what);
    };
    say(decoder_.damaged(), " damaged packets were skipped");
    say(out_of_order_, " frames with a time before their predecessor were skipped");
    const std::int64_t errors = demuxer_.log().errors();
    if (errors > 0) say(errors, " errors while decoding; the first: " + demuxer_.log().first());
    if (!demuxer_.early_end().empty()) {
      result.push_back("the file could be read up to " + std::to_string(seconds(ticks_)) + " s (" +
                       demuxer_.early_end() + ")");
    }
    return result;
  }

  double seconds(std::int64_t ticks) const {
    return static_cast<double>(ticks) / clip_.tick_rate.per_second();
  }

 private:
  int checked_stream(const ClipInfo& clip) const {
    if (clip.video_stream < 0 || clip.video_stream >= demuxer_.stream_count()) {
      demuxer_.refuse("has changed since it was probed", "unreadable");
    }
    return clip.video_stream;
  }

  bool decode_one() {
    while (!decoder_.receive(*frame_)) {
      if (decoder_.ended()) return false;
      if (drained_) return false;
      drained_ = !demuxer_.read(*packet_);
      decoder_.send(drained_ ? nullptr : packet_.get());
      av_packet_unref(packet_.get());
      // After the last packet the decoder still holds frames.
      if (drained_) return decoder_.receive(*frame_);
    }
    return true;
  }

  const ClipInfo& clip_;
  Demuxer demuxer_;
  media::VideoDecoder decoder_;
  media::FrameClock clock_;
  media::PacketHandle packet_ = media::make_packet();
  media::FrameHandle frame_ = media::make_frame();
  std::int64_t ticks_ = 0, count_ = 0, out_of_order_ = 0;
  bool drained_ = false;
};

// The upright output size: the longer side at most `longest`, never enlarged.
std::pair<std::int64_t, std::int64_t> output_size(const ClipInfo& clip, std::int64_t longest) {
  const std::int64_t longer = std::max(clip.width, clip.height);
  if (longest <= 0 || longer <= longest) return {clip.width, clip.height};
  const auto scaled = [&](std::int64_t side) {
    return std::max<std::int64_t>((2 * side * longest + longer) / (2 * longer), 1);
  };
  return {scaled(clip.width), scaled(clip.height)};
}

class Reader final : public FrameReader {
 public:
  Reader(ClipInfo clip, const FrameRequest& request, const MediaLimits& limits)
      : clip_(std::move(clip)), request_(request), frames_(clip_, request.decode_threads, limits) {
    std::string complaint;
    const auto orientation =
        media::orientation_of(frames_.demuxer().stream(clip_.video_stream), complaint);
    const auto [width, height] = output_size(clip_, request.longest_side);
    scaler_.emplace(width, height, request.color, orientation);
  }

  const ClipInfo& clip() const override { return clip_; }
  std::vector<std::string> warnings() const override { return frames_.warnings(); }

  std::optional<Frame> next() override { return request_.rate ? next_held() : next_shown(); }

 private:
  Frame picture(const AVFrame& frame) {
    const media::MediaLog::Scope scope(frames_.demuxer().log());
    return scaler_->convert(frame);
  }

  std::optional<Frame> next_shown() {
    if (!frames_.advance()) return std::nullopt;
    Frame frame = picture(frames_.frame());
    frame.time = Seconds(frames_.seconds(frames_.ticks()));
    return frame;
  }

  // The frame that is shown at tick `index / rate`. A stored time is off by up to half a tick.
  std::optional<Frame> next_held() {
    const double ticks_per_step = clip_.tick_rate.per_second() / request_.rate->per_second();
    const double wanted = static_cast<double>(index_) * ticks_per_step;
    if (wanted >= static_cast<double>(clip_.duration_ticks) - 0.5) return std::nullopt;
    if (index_ == 0) has_upcoming_ = frames_.advance();
    bool none_held = index_ == 0;
    while (has_upcoming_ && (none_held || static_cast<double>(frames_.ticks()) <= wanted + 0.5)) {
      frames_.move_to(*held_);
      held_picture_.reset();
      none_held = false;
      has_upcoming_ = frames_.advance();
    }
    if (!held_picture_) held_picture_ = picture(*held_);
    Frame frame = *held_picture_;
    frame.time = request_.rate->time_of(index_++);
    return frame;
  }

  ClipInfo clip_;
  FrameRequest request_;
  ShownFrames frames_;  // its present frame comes after the held one
  std::optional<media::PictureScaler> scaler_;
  std::int64_t index_ = 0;
  media::FrameHandle held_ = media::make_frame();  // shown at the wanted time
  std::optional<Frame> held_picture_;
  bool has_upcoming_ = false;
};

}  // namespace

std::unique_ptr<FrameReader> open_frames(const std::filesystem::path& path,
                                         const FrameRequest& request, const MediaLimits& limits) {
  return open_frames(probe(path, limits), request, limits);
}

std::unique_ptr<FrameReader> open_frames(const ClipInfo& clip, const FrameRequest& request,
                                         const MediaLimits& limits) {
  if (request.rate && (request.rate->num <= 0 || request.rate->den <= 0)) {
    throw Error(ErrorCode::kUsage, "media: the wanted frame rate must be positive");
  }
  if (request.longest_side < 0) {
    throw Error(ErrorCode::kUsage, "media: the wanted size must not be negative");
  }
  if (clip.isolated) return media::open_isolated_frames(clip, request, limits);
  return std::make_unique<Reader>(clip, request, limits);
}

}  // namespace qingyin
