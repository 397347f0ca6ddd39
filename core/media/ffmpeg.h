#pragma once

// Owning handles for FFmpeg's objects. Internal to core/media: public headers show no FFmpeg type.

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/display.h>
#include <libavutil/mathematics.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <memory>
#include <string>

#include "core/error.h"

namespace qingyin::media {

struct FreeCodec {
  void operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
};
struct FreePacket {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct FreeFrame {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct FreeSws {
  void operator()(SwsContext* context) const { sws_freeContext(context); }
};
struct FreeSwr {
  void operator()(SwrContext* context) const { swr_free(&context); }
};

using CodecHandle = std::unique_ptr<AVCodecContext, FreeCodec>;
using PacketHandle = std::unique_ptr<AVPacket, FreePacket>;
using FrameHandle = std::unique_ptr<AVFrame, FreeFrame>;
using SwsHandle = std::unique_ptr<SwsContext, FreeSws>;
using SwrHandle = std::unique_ptr<SwrContext, FreeSwr>;

/// The object, or Error kDevice: FFmpeg's allocators return null when memory is out.
template <typename T>
T* allocated(T* object) {
  if (!object) throw Error(ErrorCode::kDevice, "media: out of memory");
  return object;
}

inline PacketHandle make_packet() { return PacketHandle(allocated(av_packet_alloc())); }
inline FrameHandle make_frame() { return FrameHandle(allocated(av_frame_alloc())); }

/// FFmpeg's words for one of its error numbers.
inline std::string ffmpeg_message(int error) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(error, text, sizeof text);
  return text;
}

inline constexpr AVRational kMicroseconds{1, AV_TIME_BASE};

}  // namespace qingyin::media
