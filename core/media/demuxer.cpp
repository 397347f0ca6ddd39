#include "core/media/demuxer.h"

#include <cmath>
#include <memory>
#include <sstream>
#include <string_view>

#include "core/text.h"

namespace qingyin::media {
namespace {

constexpr std::int64_t kUnknown = AV_NOPTS_VALUE;
constexpr int kMaxRetries = 1000;

int interrupted(void* watch) { return static_cast<const Watch*>(watch)->expired() ? 1 : 0; }

// Beyond any real clock (30 years): the stamp is garbage.
bool is_absurd(std::int64_t stamp, AVRational time_base) {
  constexpr double kLongest = 1e9;
  return stamp != kUnknown && std::abs(static_cast<double>(stamp) * av_q2d(time_base)) > kLongest;
}

// Every further file that a demuxer asks for is refused.
int refuse_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

// An AVDictionary that frees itself.
class Options {
 public:
  Options() = default;
  ~Options() { av_dict_free(&dictionary_); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  Options& set(const char* key, const std::string& value) {
    av_dict_set(&dictionary_, key, value.c_str(), 0);
    return *this;
  }
  AVDictionary** get() { return &dictionary_; }

 private:
  AVDictionary* dictionary_ = nullptr;
};

// No plane of an accepted picture is larger. Streams that appear only while a file is probed are
// decoded with FFmpeg's own limits; this one holds for them too.
void limit_allocations() {
  constexpr std::size_t kLargestBlock = 160 << 20;
  [[maybe_unused]] static const bool done = (av_max_alloc(kLargestBlock), true);
}

}  // namespace

const AVCodec* allowed_decoder(AVCodecID codec) {
  std::istringstream names(kDecoders);
  for (std::string name; std::getline(names, name, ',');) {
    const AVCodec* decoder = avcodec_find_decoder_by_name(name.c_str());
    if (decoder && decoder->id == codec) return decoder;
  }
  return nullptr;
}

Demuxer::Demuxer(const std::filesystem::path& path, const MediaLimits& limits, EditLists edit_lists,
                 Files files)
    : path_(path), limits_(limits), watch_(limits.no_progress), file_(path, watch_) {
  const MediaLog::Scope scope(log_);
  try {
    open(edit_lists, files);
    check_sizes();
    find_streams();
    check_sizes();
  } catch (...) {
    avformat_close_input(&format_);
    throw;
  }
  next_.assign(format_->nb_streams, kUnknown);
}

Demuxer::~Demuxer() {
  const MediaLog::Scope scope(log_);
  avformat_close_input(&format_);
}

void Demuxer::open(EditLists edit_lists, Files files) {
  limit_allocations();
  format_ = allocated(avformat_alloc_context());
  format_->pb = file_.context();
  format_->flags |= AVFMT_FLAG_CUSTOM_IO;
  format_->opaque = &log_;
  format_->io_open = refuse_open;
  format_->interrupt_callback = {interrupted, &watch_};
  Options options;
  options.set("protocol_whitelist", "")
      .set("format_whitelist", files == Files::kVideosAndSounds
                                   ? std::string(kDemuxers) + "," + kSoundDemuxers
                                   : kDemuxers)
      .set("codec_whitelist", kDecoders)
      .set("probesize", "20000000")
      .set("analyzeduration", "10000000")
      .set("max_probe_packets", "2500")
      .set("max_streams", std::to_string(limits_.max_streams))
      .set("enable_drefs", "0")
      .set("use_absolute_path", "0")
      .set("ignore_editlist", edit_lists == EditLists::kIgnore ? "1" : "0");
  const int error = avformat_open_input(&format_, "", nullptr, options.get());
  if (error >= 0) return;
  check_progress();
  if (log_.first().find("max_streams") != std::string::npos) {
    refuse("has more streams than the accepted " + std::to_string(limits_.max_streams), "limit");
  }
  if (error == AVERROR(EINVAL) && log_.errors() > 0) {
    refuse("is not one of the accepted video formats (" + log_.first() + ")", "unreadable");
  }
  const std::string detail = log_.errors() > 0 ? ": " + log_.first() : "";
  refuse("is not a readable video (" + ffmpeg_message(error) + detail + ")", "unreadable");
}

void Demuxer::find_streams() {
  const unsigned count = format_->nb_streams;
  const auto options = std::make_unique<Options[]>(count);
  std::vector<AVDictionary*> dictionaries(count);
  for (unsigned i = 0; i < count; ++i) {
    options[i]
        .set("max_pixels", std::to_string(limits_.max_pixels))
        .set("max_samples", std::to_string(kMaxSamplesPerFrame))
        .set("threads", "1");
    std::swap(dictionaries[i], *options[i].get());
  }
  const int error = avformat_find_stream_info(format_, count ? dictionaries.data() : nullptr);
  for (unsigned i = 0; i < count; ++i) std::swap(dictionaries[i], *options[i].get());
  if (error < 0) {
    check_progress();
    refuse("its streams cannot be read (" + ffmpeg_message(error) + ")", "unreadable");
  }
}

void Demuxer::check_sizes() const {
  if (static_cast<int>(format_->nb_streams) > limits_.max_streams) {
    refuse("has " + std::to_string(format_->nb_streams) + " streams; at most " +
               std::to_string(limits_.max_streams) + " are accepted",
           "limit");
  }
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    const AVCodecParameters& codec = *format_->streams[i]->codecpar;
    if (codec.codec_type != AVMEDIA_TYPE_VIDEO) continue;
    const std::int64_t pixels = std::int64_t{codec.width} * codec.height;
    if (pixels > limits_.max_pixels) {
      refuse("its picture of " + std::to_string(codec.width) + "x" + std::to_string(codec.height) +
                 " pixels is larger than the accepted " + std::to_string(limits_.max_pixels) +
                 " pixels; scale it down first",
             "limit");
    }
  }
}

void Demuxer::select(std::initializer_list<int> streams) {
  selected_.assign(format_->nb_streams, false);
  for (const int index : streams) {
    if (index >= 0) selected_.at(static_cast<std::size_t>(index)) = true;
  }
  // Every reader of a format with clock jumps must see all packets, or they would join differently.
  if (format_->iformat->flags & AVFMT_TS_DISCONT) return;
  for (unsigned i = 0; i < format_->nb_streams; ++i) {
    format_->streams[i]->discard = selected_[i] ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
}

bool Demuxer::read(AVPacket& packet) {
  const MediaLog::Scope scope(log_);
  watch_.progress();  // the time that the caller took is not the file's
  int retries = 0;
  while (true) {
    const int error = av_read_frame(format_, &packet);
    check_progress();
    if (error == AVERROR(EAGAIN) && ++retries < kMaxRetries) continue;
    if (error == AVERROR_EOF && !file_.read_failed()) return false;
    if (error < 0) {
      early_end_ = ffmpeg_message(error);
      return false;
    }
    watch_.progress();
    const auto index = static_cast<std::size_t>(packet.stream_index);
    // Streams that appear in the middle of a file are nobody's.
    if (index < next_.size()) {
      join_clock(packet);
      if (selected_.empty() || selected_[index]) return true;
    }
    av_packet_unref(&packet);
  }
}

// The rule of ffmpeg's own program: a stamp more than 10 s ahead of, or 0.1 s behind, the stream's
// last one means that the clock was set anew.
void Demuxer::join_clock(AVPacket& packet) {
  const AVStream& from = stream(packet.stream_index);
  if (is_absurd(packet.pts, from.time_base)) packet.pts = kUnknown;
  if (is_absurd(packet.dts, from.time_base)) packet.dts = kUnknown;
  if (!(format_->iformat->flags & AVFMT_TS_DISCONT)) return;
  const bool moves = from.codecpar->codec_type == AVMEDIA_TYPE_VIDEO ||
                     from.codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
  std::int64_t& next = next_[static_cast<std::size_t>(packet.stream_index)];
  const std::int64_t stamp = packet.dts == kUnknown ? packet.pts : packet.dts;
  if (stamp != kUnknown && moves) {
    const std::int64_t start = av_rescale_q(stamp, from.time_base, kMicroseconds) + clock_offset_;
    const std::int64_t jump = next == kUnknown ? 0 : start - next;
    if (jump > 10 * AV_TIME_BASE || jump < -AV_TIME_BASE / 10) clock_offset_ -= jump;
    const std::int64_t length = av_rescale_q(packet.duration, from.time_base, kMicroseconds);
    next = av_rescale_q(stamp, from.time_base, kMicroseconds) + clock_offset_ + length;
  }
  if (clock_offset_ == 0) return;
  const std::int64_t offset = av_rescale_q(clock_offset_, kMicroseconds, from.time_base);
  if (packet.dts != kUnknown) packet.dts += offset;
  if (packet.pts != kUnknown) packet.pts += offset;
}

bool Demuxer::has_decoding_times_only() const {
  return std::string_view(format_->iformat->name) == "avi";
}

void Demuxer::count_decoded(const AVFrame& frame) {
  for (const AVBufferRef* buffer : frame.buf) {
    if (buffer) decoded_bytes_ += static_cast<std::int64_t>(buffer->size);
  }
  if (decoded_bytes_ <= limits_.max_decoded_bytes) return;
  refuse("decodes to more than the accepted " + std::to_string(limits_.max_decoded_bytes >> 30) +
             " GB; cut it into parts",
         "limit");
}

void Demuxer::check_progress() const {
  if (!watch_.expired()) return;
  refuse("reading made no progress for " +
             std::to_string(static_cast<int>(limits_.no_progress.count())) +
             " s; the file is damaged or the disk too slow",
         "limit");
}

void Demuxer::refuse(const std::string& what, const std::string& reason) const {
  throw Error(ErrorCode::kInvalidInput, "media: " + printable(path_) + ": " + what, reason);
}

}  // namespace qingyin::media
