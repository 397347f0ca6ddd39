#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "core/media/ffmpeg.h"
#include "core/media/frame_reader.h"
#include "core/media/orientation.h"

namespace qingyin::media {

/// Turns decoded frames into upright pictures of one size with square pixels: area-averaged,
/// sRGB or full-range luma. Interlaced frames give their first field, HDR (PQ) is tone-mapped,
/// transparency is seen on black. A change of size or format in the stream keeps the output size.
class PictureScaler {
 public:
  /// @param width, height  of the upright output, in pixels
  PictureScaler(std::int64_t width, std::int64_t height, FrameColor color, Orientation orientation);

  /// @throws Error kInvalidInput if the pixel format cannot be converted
  Frame convert(const AVFrame& frame);

 private:
  struct Source {
    int width = 0, height = 0;
    AVPixelFormat format = AV_PIX_FMT_NONE;
    int colorspace = 0, transfer = 0;
    bool full_range = false;
    bool operator==(const Source&) const = default;
  };

  static Source describe(const AVFrame& frame, bool one_field);
  void prepare(const Source& source);
  void build_table(const Source& source);
  void composite(std::vector<std::uint8_t>& rgba) const;
  std::vector<std::uint8_t> turned(const std::vector<std::uint8_t>& pixels) const;

  int out_width_, out_height_;  // of the picture as stored: before it is turned
  FrameColor color_;
  Orientation orientation_;
  Source source_;
  bool luma_only_ = false;   // the luma plane is scaled alone
  int scaled_channels_ = 0;  // 1 grey, 3 RGB, 4 RGBA
  bool use_table_ = false;
  std::array<std::uint8_t, 256> table_{};  // applied to every scaled value
  SwsHandle sws_;
};

}  // namespace qingyin::media
