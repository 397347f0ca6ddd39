#include "core/media/container.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace qingyin::media {

std::optional<Container> container_of(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension == ".mp4" || extension == ".m4v") return Container::kMp4;
  if (extension == ".mov") return Container::kMov;
  if (extension == ".mkv") return Container::kMatroska;
  if (extension == ".webm") return Container::kWebm;
  return std::nullopt;
}

const AVOutputFormat& format_of(Container container) {
  const char* name = "matroska";
  if (container == Container::kMp4) name = "mp4";
  if (container == Container::kMov) name = "mov";
  if (container == Container::kWebm) name = "webm";
  const AVOutputFormat* format = av_guess_format(name, nullptr, nullptr);
  if (format) return *format;
  throw Error(ErrorCode::kInternal, std::string("media: this FFmpeg cannot write ") + name);
}

std::string_view extension_of(Container container) {
  switch (container) {
    case Container::kMp4:
      return ".mp4";
    case Container::kMov:
      return ".mov";
    case Container::kMatroska:
      return ".mkv";
    case Container::kWebm:
      return ".webm";
  }
  return ".mkv";
}

bool can_hold(Container container, AVCodecID codec) {
  // Matroska carries codecs without an own name under their AVI name.
  const int strictness =
      container == Container::kMatroska ? FF_COMPLIANCE_UNOFFICIAL : FF_COMPLIANCE_NORMAL;
  return codec != AV_CODEC_ID_NONE &&
         avformat_query_codec(&format_of(container), codec, strictness) == 1;
}

Container best_container(AVCodecID picture) {
  for (const Container container : {Container::kMp4, Container::kMov}) {
    if (can_hold(container, picture)) return container;
  }
  return Container::kMatroska;
}

AVCodecID sound_codec(Container container) {
  if (container == Container::kMatroska) return AV_CODEC_ID_FLAC;
  if (container == Container::kWebm) return AV_CODEC_ID_OPUS;
  return AV_CODEC_ID_AAC;
}

bool has_edit_lists(Container container) {
  return container == Container::kMp4 || container == Container::kMov;
}

}  // namespace qingyin::media
