#include "core/media/video_writer.h"

#include <array>
#include <limits>

#include "core/error.h"
#include "core/media/ffmpeg.h"
#include "core/media/media_log.h"
#include "core/text.h"

namespace qingyin {
namespace {

struct CloseFormat {
  void operator()(AVFormatContext* format) const {
    avio_closep(&format->pb);
    avformat_free_context(format);
  }
};
const char* container_of(const std::filesystem::path& target) {
  const std::string extension = target.extension().string();
  if (extension == ".mp4") return "mp4";
  if (extension == ".mov") return "mov";
  if (extension == ".mkv") return "matroska";
  throw Error(ErrorCode::kUsage, "video writer: " + printable(target) +
                                     " has no known extension; use .mp4, .mov or .mkv");
}

const AVCodec* best_encoder() {
  constexpr std::array kNames = {"libopenh264", "libx264", "mpeg4"};
  for (const char* name : kNames)
    if (const AVCodec* codec = avcodec_find_encoder_by_name(name)) return codec;
  throw Error(ErrorCode::kIo,
              "video writer: the installed FFmpeg has no H.264 or MPEG-4 encoder; install one");
}

class FfmpegVideoWriter final : public VideoWriter {
 public:
  explicit FfmpegVideoWriter(const VideoWriteRequest& request)
      : file_(request.target, request.overwrite),
        packet_(media::make_packet()),
        frame_(media::make_frame()) {
    open_codec(request);
    open_format(container_of(request.target));
  }

  void write(std::span<const std::uint8_t> rgb) override {
    require(rgb.size() == static_cast<std::size_t>(codec_->width) * codec_->height * 3,
            ErrorCode::kInternal, "video writer: a frame has the wrong size");
    check(av_frame_make_writable(frame_.get()), "prepare a frame");
    const std::uint8_t* planes[] = {rgb.data()};
    const int strides[] = {codec_->width * 3};
    sws_scale(scaler_.get(), planes, strides, 0, codec_->height, frame_->data, frame_->linesize);
    frame_->pts = frames_++;
    encode(frame_.get());
  }

  void finish() override {
    encode(nullptr);
    check(av_write_trailer(format_.get()), "write the end of");
    check(avio_closep(&format_->pb), "close");
    file_.commit();
  }

 private:
  void check(int status, const char* doing) const {
    if (status >= 0) return;
    throw Error(ErrorCode::kIo, "video writer: could not " + std::string(doing) + " " +
                                    printable(file_.target()) + ": " +
                                    media::ffmpeg_message(status) +
                                    "; check the free space and the permissions of the folder");
  }

  void open_codec(const VideoWriteRequest& request) {
    const AVCodec* encoder = best_encoder();
    codec_.reset(avcodec_alloc_context3(encoder));
    codec_->width = request.width;
    codec_->height = request.height;
    codec_->pix_fmt = AV_PIX_FMT_YUV420P;
    codec_->time_base = {static_cast<int>(request.rate.den), static_cast<int>(request.rate.num)};
    codec_->framerate = {static_cast<int>(request.rate.num), static_cast<int>(request.rate.den)};
    codec_->color_range = AVCOL_RANGE_MPEG;
    codec_->colorspace = AVCOL_SPC_BT709;
    codec_->color_primaries = AVCOL_PRI_BT709;
    codec_->color_trc = AVCOL_TRC_BT709;
    codec_->gop_size = 60;
    codec_->thread_count = 2;
    codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (std::string_view(encoder->name) == "libx264") {
      av_opt_set(codec_->priv_data, "preset", "veryfast", 0);
      av_opt_set(codec_->priv_data, "crf", "20", 0);
    } else {
      codec_->bit_rate = static_cast<std::int64_t>(request.width) * request.height * 6;
    }
    check(avcodec_open2(codec_.get(), encoder, nullptr), "open the encoder for");
    frame_->format = codec_->pix_fmt;
    frame_->width = codec_->width;
    frame_->height = codec_->height;
    check(av_frame_get_buffer(frame_.get(), 0), "allocate a frame for");
    scaler_.reset(sws_getContext(codec_->width, codec_->height, AV_PIX_FMT_RGB24, codec_->width,
                                 codec_->height, codec_->pix_fmt, SWS_BILINEAR, nullptr, nullptr,
                                 nullptr));
    require(scaler_ != nullptr, ErrorCode::kInternal, "video writer: no converter from RGB");
    const int* matrix = sws_getCoefficients(SWS_CS_ITU709);
    sws_setColorspaceDetails(scaler_.get(), matrix, 1, matrix, 0, 0, 1 << 16, 1 << 16);
  }

  void open_format(const char* container) {
    AVFormatContext* format = nullptr;
    check(avformat_alloc_output_context2(&format, nullptr, container, nullptr), "open");
    format_.reset(format);
    stream_ = avformat_new_stream(format, nullptr);
    require(stream_ != nullptr, ErrorCode::kInternal, "video writer: out of memory");
    stream_->time_base = codec_->time_base;
    stream_->avg_frame_rate = codec_->framerate;
    check(avcodec_parameters_from_context(stream_->codecpar, codec_.get()), "describe");
    const std::string url = "file:" + std::filesystem::absolute(file_.temporary()).string();
    check(avio_open(&format->pb, url.c_str(), AVIO_FLAG_WRITE), "open");
    check(avformat_write_header(format, nullptr), "begin");
  }

  void encode(const AVFrame* frame) {
    check(avcodec_send_frame(codec_.get(), frame), "encode a frame of");
    for (;;) {
      const int status = avcodec_receive_packet(codec_.get(), packet_.get());
      if (status == AVERROR(EAGAIN) || status == AVERROR_EOF) return;
      check(status, "encode a frame of");
      packet_->duration = 1;
      av_packet_rescale_ts(packet_.get(), codec_->time_base, stream_->time_base);
      packet_->stream_index = stream_->index;
      check(av_interleaved_write_frame(format_.get(), packet_.get()), "write to");
    }
  }

  media::MediaLog log_;  // keeps the encoder's chatter off stderr
  AtomicFile file_;
  media::PacketHandle packet_;
  media::FrameHandle frame_;
  media::CodecHandle codec_;
  media::SwsHandle scaler_;
  std::unique_ptr<AVFormatContext, CloseFormat> format_;
  AVStream* stream_ = nullptr;
  std::int64_t frames_ = 0;
};

}  // namespace

std::unique_ptr<VideoWriter> open_video_writer(const VideoWriteRequest& request) {
  require(
      request.width > 0 && request.height > 0 && request.width % 2 == 0 && request.height % 2 == 0,
      ErrorCode::kUsage, "video writer: width and height must be positive and even");
  constexpr auto kLargest = std::numeric_limits<int>::max();
  require(request.rate.num > 0 && request.rate.num <= kLargest && request.rate.den <= kLargest,
          ErrorCode::kUsage, "video writer: the frame rate must be constant");
  container_of(request.target);
  return std::make_unique<FfmpegVideoWriter>(request);
}

}  // namespace qingyin
