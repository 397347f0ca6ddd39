#include "core/media/media_libraries.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

namespace qingyin {
namespace {

std::string text_of(unsigned version) {
  return std::to_string(AV_VERSION_MAJOR(version)) + "." +
         std::to_string(AV_VERSION_MINOR(version)) + "." +
         std::to_string(AV_VERSION_MICRO(version));
}

}  // namespace

std::map<std::string, std::string> media_libraries() {
  return {{"ffmpeg", av_version_info()},
          {"libavcodec", text_of(avcodec_version())},
          {"libavformat", text_of(avformat_version())},
          {"libswresample", text_of(swresample_version())},
          {"libswscale", text_of(swscale_version())}};
}

}  // namespace qingyin
