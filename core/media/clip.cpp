#include "core/media/clip.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "core/media/demuxer.h"
#include "core/media/frame_clock.h"
#include "core/media/isolation/isolated.h"
#include "core/media/orientation.h"
#include "core/media/picture_times.h"
#include "core/media/video_decoder.h"

namespace qingyin {
namespace {

using media::Demuxer;

constexpr std::int64_t kUnknown = AV_NOPTS_VALUE;
// The shortest side, in pixels, of a picture that shows anything.
constexpr std::int64_t kSmallestSeen = 16;
constexpr int kNotAPicture =
    AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS | AV_DISPOSITION_STILL_IMAGE;

StreamKind kind_of(AVMediaType type) {
  switch (type) {
    case AVMEDIA_TYPE_VIDEO:
      return StreamKind::kVideo;
    case AVMEDIA_TYPE_AUDIO:
      return StreamKind::kAudio;
    case AVMEDIA_TYPE_SUBTITLE:
      return StreamKind::kSubtitle;
    case AVMEDIA_TYPE_ATTACHMENT:
      return StreamKind::kAttachment;
    default:
      return StreamKind::kData;
  }
}

std::string tag(const AVStream& stream, const char* key) {
  const AVDictionaryEntry* entry = av_dict_get(stream.metadata, key, nullptr, 0);
  const std::string text = entry ? media::cleaned(entry->value) : "";
  return text == "und" ? "" : text;
}

StreamInfo describe(const AVStream& stream) {
  const AVCodecParameters& codec = *stream.codecpar;
  return {.index = stream.index,
          .kind = kind_of(codec.codec_type),
          .codec = avcodec_get_name(codec.codec_id),
          .language = tag(stream, "language"),
          .title = tag(stream, "title"),
          .is_default = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0,
          .is_attached_picture = (stream.disposition & kNotAPicture) != 0,
          .sample_rate_hz = codec.codec_type == AVMEDIA_TYPE_AUDIO ? codec.sample_rate : 0,
          .channels = codec.codec_type == AVMEDIA_TYPE_AUDIO ? codec.ch_layout.nb_channels : 0};
}

// A sample entry of the common encryption scheme, or key information beside the stream.
bool is_protected(const AVStream& stream) {
  const auto name = stream.codecpar->codec_tag;
  return name == MKTAG('e', 'n', 'c', 'v') || name == MKTAG('e', 'n', 'c', 'a') ||
         name == MKTAG('d', 'r', 'm', 'i') || name == MKTAG('d', 'r', 'm', 's') ||
         av_dict_get(stream.metadata, "enc_key_id", nullptr, 0) != nullptr ||
         av_stream_get_side_data(&stream, AV_PKT_DATA_ENCRYPTION_INIT_INFO, nullptr) != nullptr;
}

[[noreturn]] void refuse_protected(const Demuxer& demuxer) {
  demuxer.refuse("its picture is protected (encrypted); expected an unprotected video",
                 "protected");
}

std::int64_t pixels(const AVStream& stream) {
  return std::int64_t{stream.codecpar->width} * stream.codecpar->height;
}

// The default picture, else the largest; a track without content only if there is nothing else.
int choose_picture(const Demuxer& demuxer) {
  int best = -1;
  std::array<std::int64_t, 3> best_rank{};
  for (int i = 0; i < demuxer.stream_count(); ++i) {
    const AVStream& stream = demuxer.stream(i);
    if (stream.codecpar->codec_type != AVMEDIA_TYPE_VIDEO) continue;
    if (stream.disposition & kNotAPicture) continue;
    const std::array<std::int64_t, 3> rank{
        stream.codecpar->width > 0, stream.disposition & AV_DISPOSITION_DEFAULT, pixels(stream)};
    if (best >= 0 && rank <= best_rank) continue;
    best = i;
    best_rank = rank;
  }
  return best;
}

// The default sound, else the first; only one that can be decoded.
std::optional<int> choose_sound(const Demuxer& demuxer, std::vector<std::string>& warnings) {
  std::optional<int> best;
  bool unusable = false;
  for (int i = 0; i < demuxer.stream_count(); ++i) {
    const AVStream& stream = demuxer.stream(i);
    if (stream.codecpar->codec_type != AVMEDIA_TYPE_AUDIO) continue;
    if (is_protected(stream) || !media::allowed_decoder(stream.codecpar->codec_id) ||
        stream.codecpar->sample_rate <= 0) {
      unusable = true;
      continue;
    }
    const bool is_default = (stream.disposition & AV_DISPOSITION_DEFAULT) != 0;
    const bool have_default =
        best && (demuxer.stream(*best).disposition & AV_DISPOSITION_DEFAULT) != 0;
    if (!best || (is_default && !have_default)) best = i;
  }
  if (unusable && !best) warnings.push_back("its sound cannot be decoded and is left aside");
  return best;
}

// Rates that the file claims, and the standard rate next to its average.
std::vector<AVRational> rates_claimed(const AVStream& stream) {
  std::vector<AVRational> rates{stream.avg_frame_rate, stream.r_frame_rate};
  constexpr std::array<AVRational, 11> kStandard{{{24000, 1001},
                                                  {24, 1},
                                                  {25, 1},
                                                  {30000, 1001},
                                                  {30, 1},
                                                  {48, 1},
                                                  {50, 1},
                                                  {60000, 1001},
                                                  {60, 1},
                                                  {120000, 1001},
                                                  {120, 1}}};
  for (const AVRational& rate : kStandard) {
    const double claimed = av_q2d(stream.avg_frame_rate);
    // A rate measured in whole milliseconds is off by up to 1e-4 or so; a standard one goes first.
    if (stream.avg_frame_rate.den > 0 && std::abs(claimed / av_q2d(rate) - 1) < 4e-4) {
      rates.insert(rates.begin(), rate);
    }
  }
  return rates;
}

struct Scan {
  media::PictureTimes times;
  media::FrameHandle first_frame;
  std::int64_t packets = 0, damaged_at_start = 0;
  std::int64_t untimed = 0;  // frames shown before the first that has a time
  std::int64_t earliest = std::numeric_limits<std::int64_t>::max();
};

// Frames before time 0 carry no time in Matroska: the first known one tells where they began.
void decode_until_first(media::VideoDecoder& decoder, const AVStream& stream,
                        const AVPacket* packet, Scan& scan) {
  decoder.send(packet);
  for (media::FrameHandle frame = media::make_frame(); decoder.receive(*frame);) {
    const std::int64_t time = frame->best_effort_timestamp;
    if (!scan.first_frame) scan.first_frame = std::exchange(frame, media::make_frame());
    if (time != kUnknown) {
      scan.times.start_at(time - media::ticks_of_frames(scan.untimed, stream));
      return;
    }
    ++scan.untimed;
  }
}

// A picture without any time: its frames are counted.
void count_untimed(const AVStream& stream, Scan& scan) {
  scan.times.start_at(0);
  for (std::int64_t i = 0; i < scan.untimed; ++i) {
    scan.times.add(media::ticks_of_frames(i, stream), media::ticks_of_frames(1, stream));
  }
}

void take_packet(const Demuxer& demuxer, const AVPacket& packet, Scan& scan) {
  if (++scan.packets > demuxer.limits().max_frames) {
    demuxer.refuse("has more than the accepted " + std::to_string(demuxer.limits().max_frames) +
                       " frames; cut it into parts",
                   "limit");
  }
  if (av_packet_get_side_data(&packet, AV_PKT_DATA_ENCRYPTION_INFO, nullptr)) {
    refuse_protected(demuxer);
  }
  const std::int64_t time = packet.pts == kUnknown ? packet.dts : packet.pts;
  if (time != kUnknown) scan.earliest = std::min(scan.earliest, time);
  if (time != kUnknown && !(packet.flags & AV_PKT_FLAG_DISCARD)) {
    // Without presentation times (AVI) a duration is only the length of a tick.
    scan.times.add(time, packet.pts == kUnknown ? 0 : packet.duration);
  }
}

// Reads every packet of the picture, and decodes until the first frame is shown.
Scan scan_picture(Demuxer& demuxer, int index) {
  const AVStream& stream = demuxer.stream(index);
  Scan scan{.times = {stream.time_base, rates_claimed(stream), stream.avg_frame_rate},
            .first_frame = {}};
  media::VideoDecoder decoder(demuxer, index, /*threads=*/1);
  media::PacketHandle packet = media::make_packet();
  demuxer.select({index});
  while (demuxer.read(*packet)) {
    take_packet(demuxer, *packet, scan);
    if (!scan.times.started()) decode_until_first(decoder, stream, packet.get(), scan);
    av_packet_unref(packet.get());
  }
  if (!scan.times.started()) decode_until_first(decoder, stream, nullptr, scan);
  if (!scan.first_frame) {
    const AVCodecContext& context = decoder.context();
    if (std::int64_t{context.width} * context.height > demuxer.limits().max_pixels) {
      demuxer.refuse("its picture is larger than the accepted " +
                         std::to_string(demuxer.limits().max_pixels) + " pixels",
                     "limit");
    }
    const std::string detail = demuxer.log().errors() ? " (" + demuxer.log().first() + ")" : "";
    demuxer.refuse(scan.packets == 0
                       ? "its picture track is empty; expected a video with at least one frame"
                       : "no frame of its picture can be decoded" + detail,
                   scan.packets == 0 ? "no_video" : "unreadable");
  }
  if (!scan.times.started()) count_untimed(stream, scan);
  scan.damaged_at_start = decoder.damaged();
  scan.times.finish();
  return scan;
}

void set_size(Demuxer& demuxer, const AVFrame& frame, ClipInfo& info) {
  AVStream& stream = demuxer.stream(info.video_stream);
  std::string complaint;
  const media::Orientation orientation = media::orientation_of(stream, complaint);
  if (!complaint.empty()) info.warnings.push_back(complaint);
  AVFrame shape = {};
  shape.sample_aspect_ratio = frame.sample_aspect_ratio;
  const AVRational aspect = av_guess_sample_aspect_ratio(&demuxer.format(), &stream, &shape);
  const media::SquareSize size = media::square_size(frame.width, frame.height, aspect);
  info.rotation_deg = orientation.rotation_deg;
  info.width = orientation.swap_axes ? size.height : size.width;
  info.height = orientation.swap_axes ? size.width : size.height;
}

void set_times(const Demuxer& demuxer, const Scan& scan, ClipInfo& info) {
  const AVStream& stream = demuxer.stream(info.video_stream);
  info.tick_rate = {stream.time_base.den, stream.time_base.num};
  info.start_ticks = scan.times.start();
  info.earliest_ticks = std::min(scan.earliest, info.start_ticks);
  info.duration_ticks =
      scan.times.length(std::max<std::int64_t>(media::ticks_of_frames(1, stream), 1));
  info.duration = Seconds(static_cast<double>(info.duration_ticks) / info.tick_rate.per_second());
  info.rate = scan.times.rate();
  if (info.duration > demuxer.limits().max_duration) {
    demuxer.refuse(
        "lasts " + std::to_string(static_cast<std::int64_t>(info.duration.count())) +
            " s; at most " +
            std::to_string(static_cast<std::int64_t>(demuxer.limits().max_duration.count())) +
            " s are accepted; cut it into parts",
        "limit");
  }
}

// A clip that ends long before the time it states was cut off, or lies.
void compare_with_claim(const Demuxer& demuxer, ClipInfo& info) {
  const AVStream& stream = demuxer.stream(info.video_stream);
  const double claimed = stream.duration != kUnknown && stream.duration > 0
                             ? static_cast<double>(stream.duration) * av_q2d(stream.time_base)
                             : 0.0;
  const double start = static_cast<double>(info.start_ticks) / info.tick_rate.per_second();
  const double end = start + info.duration.count();
  const double slack = std::max(0.5, 0.02 * claimed);
  if (claimed > end + slack && claimed > info.duration.count() + slack) {
    info.warnings.push_back("the file states " + std::to_string(claimed) +
                            " s of picture and ends after " +
                            std::to_string(info.duration.count()) + " s");
  }
}

void add_warnings(Demuxer& demuxer, const Scan& scan, ClipInfo& info) {
  if (std::min(info.width, info.height) < kSmallestSeen) {
    info.warnings.push_back("the picture has only " + std::to_string(info.width) + " x " +
                            std::to_string(info.height) +
                            " pixels: hardly anything can be seen in it");
  }
  if (!demuxer.early_end().empty()) {
    info.warnings.push_back("the file is damaged and readable only up to " +
                            std::to_string(info.duration.count()) + " s (" + demuxer.early_end() +
                            ")");
  }
  compare_with_claim(demuxer, info);
  if (scan.times.crowded() > 0) {
    info.warnings.push_back("the rate varies: " + std::to_string(scan.times.crowded()) +
                            " frames come closer together than its average rate allows; each is "
                            "taken at its own time");
  }
  if (scan.damaged_at_start > 0) {
    info.warnings.push_back(std::to_string(scan.damaged_at_start) +
                            " damaged packets before the first frame");
  }
  if (demuxer.log().errors() > 0) {
    info.warnings.push_back(std::to_string(demuxer.log().errors()) +
                            " errors while reading; the first: " + demuxer.log().first());
  }
}

}  // namespace

ClipInfo probe(const std::filesystem::path& path, const MediaLimits& limits) {
  if (limits.isolated) return media::probe_isolated(path, limits);
  Demuxer demuxer(path, limits);
  ClipInfo info;
  info.path = path;
  info.container = demuxer.format().iformat->name;
  info.bytes = demuxer.bytes();
  for (int i = 0; i < demuxer.stream_count(); ++i) {
    info.streams.push_back(describe(demuxer.stream(i)));
  }
  info.video_stream = choose_picture(demuxer);
  if (info.video_stream < 0) {
    demuxer.refuse("has no picture (no video stream); expected a video", "no_video");
  }
  if (is_protected(demuxer.stream(info.video_stream))) refuse_protected(demuxer);
  info.audio_stream = choose_sound(demuxer, info.warnings);
  const Scan scan = scan_picture(demuxer, info.video_stream);
  set_size(demuxer, *scan.first_frame, info);
  set_times(demuxer, scan, info);
  add_warnings(demuxer, scan, info);
  return info;
}

}  // namespace qingyin
