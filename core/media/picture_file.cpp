#include "core/media/picture_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/media/ffmpeg.h"
#include "core/media/media_log.h"
#include "core/media/picture_scaler.h"
#include "core/text.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;
using namespace media;

constexpr std::uintmax_t kLargestFile = 64 << 20;  // bytes
constexpr int kLongestSide = 16384;                // pixels

struct Signature {
  std::string_view bytes;
  std::size_t at;
  AVCodecID codec;
};
constexpr std::array<Signature, 4> kSignatures{{{"\x89PNG", 0, AV_CODEC_ID_PNG},
                                                {"\xFF\xD8\xFF", 0, AV_CODEC_ID_MJPEG},
                                                {"WEBP", 8, AV_CODEC_ID_WEBP},
                                                {"BM", 0, AV_CODEC_ID_BMP}}};

[[noreturn]] void refuse(const fs::path& path, const std::string& defect) {
  throw Error(ErrorCode::kInvalidInput,
              printable(path) + ": " + defect + "; expected a PNG, JPEG, WebP or BMP picture");
}

std::vector<std::uint8_t> read_bytes(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) refuse(path, "is no file that can be read");
  const auto size = fs::file_size(path, error);
  if (error || size == 0 || size > kLargestFile)
    refuse(path, "has " + std::to_string(error ? 0 : size) + " bytes");
  // FFmpeg's bit readers look a little past the end.
  std::vector<std::uint8_t> bytes(size + AV_INPUT_BUFFER_PADDING_SIZE, 0);
  std::ifstream in(path, std::ios::binary);
  if (!in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size)))
    refuse(path, "cannot be read");
  bytes.resize(size + AV_INPUT_BUFFER_PADDING_SIZE);
  return bytes;
}

AVCodecID codec_of(const fs::path& path, std::span<const std::uint8_t> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Signature& one : kSignatures)
    if (text.size() > one.at && text.substr(one.at).starts_with(one.bytes)) return one.codec;
  refuse(path, "begins like no picture");
}

CodecHandle open_decoder(const fs::path& path, AVCodecID id) {
  const AVCodec* const codec = avcodec_find_decoder(id);
  if (codec == nullptr) refuse(path, "cannot be decoded by the installed FFmpeg");
  CodecHandle context(allocated(avcodec_alloc_context3(codec)));
  context->max_pixels = std::int64_t{kLongestSide} * kLongestSide;
  context->thread_count = 1;
  if (const int error = avcodec_open2(context.get(), codec, nullptr); error < 0)
    refuse(path, ffmpeg_message(error));
  return context;
}

FrameHandle decode(const fs::path& path, std::vector<std::uint8_t>& bytes, AVCodecID id) {
  const CodecHandle decoder = open_decoder(path, id);
  PacketHandle packet = make_packet();
  packet->data = bytes.data();
  packet->size = static_cast<int>(bytes.size() - AV_INPUT_BUFFER_PADDING_SIZE);
  FrameHandle frame = make_frame();
  int error = avcodec_send_packet(decoder.get(), packet.get());
  if (error >= 0) avcodec_send_packet(decoder.get(), nullptr);
  if (error >= 0) error = avcodec_receive_frame(decoder.get(), frame.get());
  if (error < 0) refuse(path, "does not decode: " + ffmpeg_message(error));
  if (frame->width > kLongestSide || frame->height > kLongestSide)
    refuse(path, "has " + std::to_string(frame->width) + " x " + std::to_string(frame->height) +
                     " pixels, at most " + std::to_string(kLongestSide) + " on a side are read");
  return frame;
}

CodecHandle open_png_encoder(std::int64_t width, std::int64_t height) {
  const AVCodec* const codec = avcodec_find_encoder(AV_CODEC_ID_PNG);
  require(codec != nullptr, ErrorCode::kDevice,
          "the installed FFmpeg has no PNG encoder; install one with zlib");
  CodecHandle context(allocated(avcodec_alloc_context3(codec)));
  context->width = static_cast<int>(width);
  context->height = static_cast<int>(height);
  context->pix_fmt = AV_PIX_FMT_RGB24;
  context->time_base = {1, 1};
  require(avcodec_open2(context.get(), codec, nullptr) >= 0, ErrorCode::kInternal,
          "the PNG encoder refuses this size");
  return context;
}

}  // namespace

Frame read_picture(const fs::path& path) {
  MediaLog log;
  const MediaLog::Scope scope(log);
  std::vector<std::uint8_t> bytes = read_bytes(path);
  const AVCodecID codec =
      codec_of(path, std::span(bytes).first(bytes.size() - AV_INPUT_BUFFER_PADDING_SIZE));
  const FrameHandle frame = decode(path, bytes, codec);
  PictureScaler scaler(frame->width, frame->height, FrameColor::kRgb, {});
  return scaler.convert(*frame);
}

void write_png(const fs::path& path, std::int64_t width, std::int64_t height,
               std::span<const std::uint8_t> rgb, Overwrite overwrite) {
  require(width > 0 && height > 0 && rgb.size() == static_cast<std::size_t>(width * height * 3),
          ErrorCode::kInternal, "write_png: the pixels do not fit the size");
  MediaLog log;
  const MediaLog::Scope scope(log);
  const CodecHandle encoder = open_png_encoder(width, height);
  FrameHandle frame = make_frame();
  frame->width = encoder->width;
  frame->height = encoder->height;
  frame->format = AV_PIX_FMT_RGB24;
  require(av_frame_get_buffer(frame.get(), 0) >= 0, ErrorCode::kDevice, "media: out of memory");
  const auto row = static_cast<std::size_t>(width) * 3;
  for (std::int64_t y = 0; y < height; ++y)
    std::memcpy(frame->data[0] + y * frame->linesize[0],
                rgb.data() + static_cast<std::size_t>(y) * row, row);
  PacketHandle packet = make_packet();
  require(avcodec_send_frame(encoder.get(), frame.get()) >= 0 &&
              avcodec_receive_packet(encoder.get(), packet.get()) >= 0,
          ErrorCode::kInternal, "the PNG encoder failed");
  write_file_atomically(path,
                        std::string_view(reinterpret_cast<const char*>(packet->data),
                                         static_cast<std::size_t>(packet->size)),
                        overwrite);
}

}  // namespace qingyin
