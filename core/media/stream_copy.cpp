#include "core/media/stream_copy.h"

#include <algorithm>
#include <cstring>

namespace qingyin::media {
namespace {

constexpr std::int64_t kUnknown = AV_NOPTS_VALUE;

std::string name_of(const AVStream& stream) {
  const char* kind = av_get_media_type_string(stream.codecpar->codec_type);
  return std::string(kind ? kind : "unknown") + " track " + std::to_string(stream.index) + " (" +
         avcodec_get_name(stream.codecpar->codec_id) + ")";
}

// Chapter titles of QuickTime are a text track too; a timecode track is made anew from metadata.
bool is_rebuilt(const AVFormatContext& format, const AVStream& stream) {
  if (stream.codecpar->codec_type != AVMEDIA_TYPE_DATA) return false;
  return stream.codecpar->codec_tag == MKTAG('t', 'm', 'c', 'd') ||
         (format.nb_chapters > 0 && stream.codecpar->codec_id == AV_CODEC_ID_BIN_DATA);
}

AVRational time_base_of(const ClipInfo& clip) {
  return {static_cast<int>(clip.tick_rate.den), static_cast<int>(clip.tick_rate.num)};
}

}  // namespace

CopyPlan plan_copy(const Demuxer& source, const ClipInfo& clip, Container container,
                   bool keep_sound) {
  CopyPlan plan;
  for (int i = 0; i < source.stream_count(); ++i) {
    const AVStream& stream = source.stream(i);
    const AVMediaType type = stream.codecpar->codec_type;
    if (type == AVMEDIA_TYPE_AUDIO && !keep_sound) continue;
    if (is_rebuilt(source.format(), stream)) continue;
    const bool holds =
        type == AVMEDIA_TYPE_ATTACHMENT
            ? container == Container::kMatroska
            : type != AVMEDIA_TYPE_DATA && can_hold(container, stream.codecpar->codec_id);
    // Cover pictures only go where the muxer knows them as such.
    const bool is_cover = (stream.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
    if (i == clip.video_stream || (holds && !(is_cover && container == Container::kWebm))) {
      plan.kept.push_back(i);
    } else {
      plan.notes.push_back(name_of(stream) + " is left out: " +
                           std::string(extension_of(container)) + " cannot hold it");
    }
  }
  return plan;
}

int add_copy(AVFormatContext& out, const AVStream& from) {
  AVStream& to = *allocated(avformat_new_stream(&out, nullptr));
  if (avcodec_parameters_copy(to.codecpar, from.codecpar) < 0) allocated<AVStream>(nullptr);
  // A tag of another container family would be refused; the muxer then finds its own.
  unsigned other = 0;
  const bool keeps_tag =
      !out.oformat->codec_tag ||
      av_codec_get_id(out.oformat->codec_tag, from.codecpar->codec_tag) ==
          from.codecpar->codec_id ||
      !av_codec_get_tag2(out.oformat->codec_tag, from.codecpar->codec_id, &other);
  if (!keeps_tag) to.codecpar->codec_tag = 0;
  to.time_base = from.time_base;
  to.avg_frame_rate = from.avg_frame_rate;
  to.r_frame_rate = from.r_frame_rate;
  // What the container says about the pixels' shape goes before what the codec says.
  if (from.sample_aspect_ratio.num > 0) to.codecpar->sample_aspect_ratio = from.sample_aspect_ratio;
  to.sample_aspect_ratio = to.codecpar->sample_aspect_ratio;
  to.disposition = from.disposition;
  if (from.codecpar->codec_type == AVMEDIA_TYPE_AUDIO) to.disposition &= ~AV_DISPOSITION_DEFAULT;
  av_dict_copy(&to.metadata, from.metadata, 0);
  for (int i = 0; i < from.nb_side_data; ++i) {
    const AVPacketSideData& data = from.side_data[i];
    auto* copy = allocated(av_stream_new_side_data(&to, data.type, data.size));
    std::memcpy(copy, data.data, data.size);
  }
  return to.index;
}

void copy_metadata(AVFormatContext& out, const AVFormatContext& from, std::int64_t start_us) {
  av_dict_copy(&out.metadata, from.metadata, 0);
  for (const char* key : {"major_brand", "minor_version", "compatible_brands", "encoder"}) {
    av_dict_set(&out.metadata, key, nullptr, 0);
  }
  if (from.nb_chapters == 0) return;
  out.chapters =
      static_cast<AVChapter**>(allocated(av_calloc(from.nb_chapters, sizeof(AVChapter*))));
  for (unsigned i = 0; i < from.nb_chapters; ++i) {
    const AVChapter& chapter = *from.chapters[i];
    const std::int64_t start = av_rescale_q(start_us, kMicroseconds, chapter.time_base);
    if (chapter.end <= start) continue;
    auto* copy = static_cast<AVChapter*>(allocated(av_mallocz(sizeof(AVChapter))));
    copy->id = chapter.id;
    copy->time_base = chapter.time_base;
    copy->start = std::max<std::int64_t>(chapter.start - start, 0);
    copy->end = chapter.end - start;
    av_dict_copy(&copy->metadata, chapter.metadata, 0);
    out.chapters[out.nb_chapters++] = copy;
  }
}

PacketSource::PacketSource(const ClipInfo& clip, Container container, const MediaLimits& limits)
    : clip_(clip),
      limits_(limits),
      demuxer_(clip.path, limits),
      hides_(has_edit_lists(container)),
      strict_(!(format_of(container).flags & AVFMT_TS_NONSTRICT)) {
  if (clip.video_stream < 0 || clip.video_stream >= demuxer_.stream_count()) {
    demuxer_.refuse("has changed since it was probed", "unreadable");
  }
  zero_ = hides_ ? clip.start_ticks : clip.earliest_ticks;
  last_dts_.assign(static_cast<std::size_t>(demuxer_.stream_count()), kUnknown);
}

void PacketSource::keep(const std::vector<int>& streams) {
  kept_.assign(static_cast<std::size_t>(demuxer_.stream_count()), false);
  for (const int index : streams) kept_[static_cast<std::size_t>(index)] = true;
}

std::int64_t PacketSource::lead_samples() const {
  return av_rescale_q(clip_.start_ticks - zero_, time_base_of(clip_), {1, 48000});
}

bool PacketSource::next(AVPacket& packet) {
  while (demuxer_.read(packet)) {
    if (kept_[static_cast<std::size_t>(packet.stream_index)]) {
      if (packet.stream_index == clip_.video_stream) complete_times(packet);
      move(packet);
      if (packet.size > 0 && wanted(packet)) {
        mend(packet);
        return true;
      }
    }
    av_packet_unref(&packet);
  }
  return false;
}

// Presentation times that are not stored come from the decoder's order.
void PacketSource::complete_times(AVPacket& packet) {
  const std::int64_t number = picture_packets_++;
  // An empty packet of AVI only says that the last frame stays.
  const bool is_timed = packet.pts != kUnknown && !demuxer_.has_decoding_times_only();
  if (is_timed || packet.size == 0) return;
  if (!display_times_) display_times_.emplace(clip_, limits_);
  packet.pts = display_times_->time_of(number).value_or(packet.dts);
  if (packet.dts != kUnknown) packet.dts = display_times_->decoding_time_of(packet.dts);
}

void PacketSource::move(AVPacket& packet) const {
  const AVRational to = demuxer_.stream(packet.stream_index).time_base;
  const std::int64_t zero = av_rescale_q(zero_, time_base_of(clip_), to);
  if (packet.pts != kUnknown) packet.pts -= zero;
  if (packet.dts != kUnknown) packet.dts -= zero;
}

// What lies outside the picture's time is not carried over, except the picture itself.
bool PacketSource::wanted(AVPacket& packet) const {
  const AVStream& from = demuxer_.stream(packet.stream_index);
  const bool is_picture = from.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
  const std::int64_t time = packet.pts == kUnknown ? packet.dts : packet.pts;
  if (is_picture || time == kUnknown) return true;
  const std::int64_t end = clip_.start_ticks - zero_ + clip_.duration_ticks;
  return av_compare_ts(time, from.time_base, end, time_base_of(clip_)) < 0 &&
         (hides_ ? time + packet.duration > 0 : time >= 0);
}

void PacketSource::mend(AVPacket& packet) {
  std::int64_t& last = last_dts_[static_cast<std::size_t>(packet.stream_index)];
  if (packet.dts == kUnknown) {
    const std::int64_t after = last == kUnknown ? std::min<std::int64_t>(packet.pts, 0) : last + 1;
    packet.dts =
        packet.pts == kUnknown ? std::max<std::int64_t>(after, 0) : std::min(after, packet.pts);
  }
  if (packet.pts == kUnknown) packet.pts = packet.dts;
  packet.dts = std::min(packet.dts, packet.pts);
  if (last != kUnknown) packet.dts = std::max(packet.dts, strict_ ? last + 1 : last);
  packet.pts = std::max(packet.pts, packet.dts);
  last = packet.dts;
}

}  // namespace qingyin::media
