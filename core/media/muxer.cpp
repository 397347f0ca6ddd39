#include "core/media/muxer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "core/disk_full.h"
#include "core/media/container.h"
#include "core/media/copy_writer.h"
#include "core/media/isolation/isolated.h"
#include "core/media/mux_check.h"
#include "core/media/output_file.h"
#include "core/media/sound_encoder.h"
#include "core/media/stream_copy.h"
#include "core/text.h"

namespace qingyin {
namespace {

using media::Container;

constexpr int kRate = 48000;

struct FreeOutput {
  void operator()(AVFormatContext* context) const { avformat_free_context(context); }
};
using OutputHandle = std::unique_ptr<AVFormatContext, FreeOutput>;

// MP4 stores these under names that every player knows; any other needs the free-form table.
bool is_common_key(std::string_view key) {
  constexpr std::array<std::string_view, 14> kCommon{
      "title", "artist", "album",     "album_artist", "comment", "description", "genre",
      "date",  "track",  "copyright", "composer",     "lyrics",  "synopsis",    "grouping"};
  return std::find(kCommon.begin(), kCommon.end(), key) != kCommon.end();
}

AVCodecID picture_codec(const ClipInfo& clip) {
  const auto& name = clip.streams.at(static_cast<std::size_t>(clip.video_stream)).codec;
  const AVCodecDescriptor* codec = avcodec_descriptor_get_by_name(name.c_str());
  return codec ? codec->id : AV_CODEC_ID_NONE;
}

Container checked_container(const ClipInfo& clip, const MuxRequest& request, AVCodecID picture) {
  const auto container = media::container_of(request.target);
  if (!container) {
    throw Error(ErrorCode::kUsage, "media: " + printable(request.target) +
                                       ": unknown kind of file; expected a name that ends in " +
                                       ".mp4, .m4v, .mov, .mkv or .webm");
  }
  if (media::can_hold(*container, picture)) return *container;
  throw Error(ErrorCode::kUsage,
              "media: " + printable(request.target) + ": this container cannot hold the picture (" +
                  avcodec_get_name(picture) + ") of " + printable(clip.path) + "; write " +
                  std::string(media::extension_of(media::best_container(picture))) + " instead");
}

class CopyMuxer final : public media::CopyWriter {
 public:
  CopyMuxer(const ClipInfo& clip, const MuxRequest& request, const std::filesystem::path& temporary)
      : clip_(clip),
        request_(request),
        length_(samples_for(clip.duration, kRate)),
        container_(checked_container(clip, request, picture_codec(clip))),
        temporary_(temporary),
        source_(clip, container_, MediaLimits{}),
        output_(temporary) {
    const media::MediaLog::Scope scope(log_);
    create();
    add_streams();
    add_metadata();
    write_header();
  }

  ~CopyMuxer() override {
    const media::MediaLog::Scope scope(log_);
    out_.reset();
  }

  std::int64_t length() const override { return length_; }
  std::vector<std::string> notes() const override { return notes_; }

  void write(std::span<const float> interleaved) override {
    const media::MediaLog::Scope scope(log_);
    written_ += static_cast<std::int64_t>(interleaved.size() / 2);
    if (interleaved.size() % 2 != 0 || written_ > length_) {
      throw Error(ErrorCode::kInternal, "media: more sound was written than the picture lasts");
    }
    constexpr float kAudible = 1e-3F;
    audible_ = audible_ || std::any_of(interleaved.begin(), interleaved.end(),
                                       [](float value) { return std::abs(value) > kAudible; });
    encoder_->write(interleaved);
  }

  void finish() override {
    const media::MediaLog::Scope scope(log_);
    if (written_ != length_) {
      throw Error(ErrorCode::kInternal, "media: " + std::to_string(written_) +
                                            " samples of sound were written; the picture needs " +
                                            std::to_string(length_));
    }
    encoder_->finish();
    copy_until(std::numeric_limits<std::int64_t>::max());
    check(av_write_trailer(out_.get()), "writing the end of the file");
    avio_flush(output_.context());
    check(output_.context()->error, "writing");
    media::check_written(temporary_, request_.target,
                         {.picture = picture_codec(clip_),
                          .picture_packets = picture_packets_,
                          .sound_samples = length_,
                          .audible = audible_});
  }

 private:
  // Moving the index to the front reads the file again; nothing else may be opened.
  static int reopen(AVFormatContext* context, AVIOContext** reader, const char*, int flags,
                    AVDictionary**) {
    if (flags & AVIO_FLAG_WRITE) return AVERROR(EPERM);
    *reader = static_cast<CopyMuxer*>(context->opaque)->output_.make_reader();
    return *reader ? 0 : AVERROR(ENOMEM);
  }
  static int close_reader(AVFormatContext*, AVIOContext* reader) {
    media::OutputFile::free_reader(reader);
    return 0;
  }

  void create() {
    AVFormatContext* context = nullptr;
    avformat_alloc_output_context2(&context, &media::format_of(container_), nullptr, nullptr);
    out_.reset(media::allocated(context));
    out_->pb = output_.context();
    out_->opaque = this;
    out_->io_open = reopen;
    out_->io_close2 = close_reader;
    // No program version, date or random number in the file: same input, same bytes.
    out_->flags |= AVFMT_FLAG_BITEXACT | AVFMT_FLAG_CUSTOM_IO;
    // The picture's first shown frame already stands where it belongs.
    out_->avoid_negative_ts = AVFMT_AVOID_NEG_TS_DISABLED;
    out_->max_interleave_delta = AV_TIME_BASE;
  }

  // The picture first, our sound as the first sound, then the rest in the clip's order.
  void add_streams() {
    auto plan =
        media::plan_copy(source_.demuxer(), clip_, container_, request_.keep_original_audio_tracks);
    notes_ = std::move(plan.notes);
    source_.keep(plan.kept);
    target_of_.assign(static_cast<std::size_t>(source_.demuxer().stream_count()), -1);
    const auto copy = [&](int index) {
      target_of_[static_cast<std::size_t>(index)] =
          media::add_copy(*out_, source_.demuxer().stream(index));
    };
    copy(clip_.video_stream);
    add_sound();
    for (const int index : plan.kept) {
      if (index != clip_.video_stream) copy(index);
    }
  }

  void add_sound() {
    encoder_.emplace(media::sound_codec(container_), length_,
                     (out_->oformat->flags & AVFMT_GLOBALHEADER) != 0,
                     [this](AVPacket& packet) { write_sound(packet); });
    AVStream& stream = *media::allocated(avformat_new_stream(out_.get(), nullptr));
    avcodec_parameters_from_context(stream.codecpar, &encoder_->context());
    stream.time_base = {1, kRate};
    stream.disposition = AV_DISPOSITION_DEFAULT;
    sound_index_ = stream.index;
  }

  void add_metadata() {
    const double start = static_cast<double>(clip_.start_ticks) / clip_.tick_rate.per_second() -
                         static_cast<double>(source_.lead_samples()) / kRate;
    media::copy_metadata(*out_, source_.demuxer().format(), std::llround(start * AV_TIME_BASE));
    for (const auto& [key, value] : request_.metadata) {
      av_dict_set(&out_->metadata, key.c_str(), media::cleaned(value).c_str(), 0);
    }
  }

  std::string mov_flags() const {
    std::string flags;
    const AVDictionaryEntry* entry = nullptr;
    bool common = true;
    while ((entry = av_dict_get(out_->metadata, "", entry, AV_DICT_IGNORE_SUFFIX))) {
      common = common &&
               (is_common_key(entry->key) || (std::string_view(entry->key) == "creation_time"));
    }
    if (!common) flags += "+use_metadata_tags";
    // Rewriting a small file puts its index in front, so that it plays while it is loaded.
    constexpr std::int64_t kCheapToRewrite = 500'000'000;
    if (clip_.bytes + length_ / kRate * 32'000 < kCheapToRewrite) flags += "+faststart";
    return flags;
  }

  void write_header() {
    AVDictionary* options = nullptr;
    if (media::has_edit_lists(container_)) {
      // Edit lists count in this unit: it must be able to say the sound's length exactly.
      av_dict_set(&options, "movie_timescale", std::to_string(kRate).c_str(), 0);
      av_dict_set(&options, "use_editlist", "1", 0);
      av_dict_set(&options, "movflags", mov_flags().c_str(), 0);
    }
    const int error = avformat_write_header(out_.get(), &options);
    av_dict_free(&options);
    check(error, "writing the header");
  }

  void write_sound(AVPacket& packet) {
    // Matroska counts block times from the encoder's first sample and says the delay apart;
    // FFmpeg 5.1's muxer leaves the addition to its caller.
    const std::int64_t delay =
        media::has_edit_lists(container_) ? 0 : encoder_->context().initial_padding;
    packet.pts += source_.lead_samples() + delay;
    packet.dts += source_.lead_samples() + delay;
    copy_until(packet.dts);
    packet.stream_index = sound_index_;
    const AVStream& to = *out_->streams[sound_index_];
    av_packet_rescale_ts(&packet, {1, kRate}, to.time_base);
    check(av_interleaved_write_frame(out_.get(), &packet), "writing the sound");
  }

  // Writes the clip's packets that belong before a time, in samples: no more than one is held.
  void copy_until(std::int64_t samples) {
    while (has_packet_ || (has_packet_ = source_.next(*packet_))) {
      const AVRational time_base = source_.demuxer().stream(packet_->stream_index).time_base;
      if (av_compare_ts(packet_->dts, time_base, samples, {1, kRate}) > 0) return;
      if (packet_->stream_index == clip_.video_stream) ++picture_packets_;
      packet_->stream_index = target_of_[static_cast<std::size_t>(packet_->stream_index)];
      packet_->pos = -1;
      av_packet_rescale_ts(packet_.get(), time_base,
                           out_->streams[packet_->stream_index]->time_base);
      has_packet_ = false;
      check(av_interleaved_write_frame(out_.get(), packet_.get()), "copying the picture");
    }
  }

  void check(int error, const char* what) const {
    if (error >= 0 && output_.error() == 0) return;
    const std::string cause =
        output_.error() != 0
            ? std::strerror(output_.error())
            : media::ffmpeg_message(error) + (log_.errors() ? " (" + log_.first() + ")" : "");
    throw Error(ErrorCode::kIo,
                "media: " + printable(request_.target) + ": " + what + " failed: " + cause +
                    "; nothing was left behind",
                disk_reason(output_.error()));
  }

  ClipInfo clip_;
  MuxRequest request_;
  std::int64_t length_;
  Container container_;
  std::filesystem::path temporary_;
  media::PacketSource source_;
  media::OutputFile output_;
  media::MediaLog log_;
  std::optional<media::SoundEncoder> encoder_;
  OutputHandle out_;
  std::vector<int> target_of_;  // [source stream]: index in the copy, -1 if left out
  std::vector<std::string> notes_;
  media::PacketHandle packet_ = media::make_packet();
  bool has_packet_ = false, audible_ = false;
  int sound_index_ = -1;
  std::int64_t written_ = 0, picture_packets_ = 0;
};

// A copy that is written here or by a child, committed here.
class CommittingMuxer final : public Muxer {
 public:
  CommittingMuxer(const ClipInfo& clip, const MuxRequest& request)
      : file_(request.target, request.overwrite),
        writer_(clip.isolated ? media::open_isolated_copy(clip, request, file_.temporary())
                              : media::open_copy(clip, request, file_.temporary())) {}

  std::int64_t length() const override { return writer_->length(); }
  std::vector<std::string> notes() const override { return writer_->notes(); }
  void write(std::span<const float> interleaved) override { writer_->write(interleaved); }
  void finish() override {
    writer_->finish();
    file_.commit();
  }

 private:
  AtomicFile file_;
  std::unique_ptr<media::CopyWriter> writer_;
};

}  // namespace

std::unique_ptr<media::CopyWriter> media::open_copy(const ClipInfo& clip, const MuxRequest& request,
                                                    const std::filesystem::path& temporary) {
  return std::make_unique<CopyMuxer>(clip, request, temporary);
}

std::unique_ptr<Muxer> open_muxer(const ClipInfo& clip, const MuxRequest& request) {
  if (clip.video_stream < 0 || static_cast<std::size_t>(clip.video_stream) >= clip.streams.size()) {
    throw Error(ErrorCode::kInternal, "media: open_muxer needs a clip that was probed");
  }
  checked_container(clip, request, picture_codec(clip));
  return std::make_unique<CommittingMuxer>(clip, request);
}

std::filesystem::path target_for(const ClipInfo& clip, const std::filesystem::path& folder) {
  const AVCodecID picture = picture_codec(clip);
  const auto named = media::container_of(clip.path);
  const bool is_mp4 = clip.container.find("mp4") != std::string::npos;
  const bool is_matroska = clip.container.find("matroska") != std::string::npos;
  const bool honest = named && (media::has_edit_lists(*named) ? is_mp4 : is_matroska);
  std::filesystem::path target = folder / clip.path.filename();
  // A name that tells the truth is kept as it is (.m4v, .MP4); a foreign or false one is replaced.
  if (honest && media::can_hold(*named, picture)) return target;
  const Container best = is_matroska ? Container::kMatroska : media::best_container(picture);
  // Not `replace_extension`: ".mp4" alone is a stem, and "a.b" of "a.b.ts" must stay whole.
  target.replace_filename(clip.path.stem().native() + std::string(media::extension_of(best)));
  return target;
}

}  // namespace qingyin
