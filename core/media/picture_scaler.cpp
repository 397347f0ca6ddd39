#include "core/media/picture_scaler.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"

namespace qingyin::media {
namespace {

// The grey format that reads a frame's luma plane as it lies in memory; none if there is no such.
AVPixelFormat luma_format(AVPixelFormat format) {
  const AVPixFmtDescriptor* facts = av_pix_fmt_desc_get(format);
  constexpr std::uint64_t kOther = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL |
                                   AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BITSTREAM |
                                   AV_PIX_FMT_FLAG_BE | AV_PIX_FMT_FLAG_ALPHA |
                                   AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT;
  if (!facts || (facts->flags & kOther) || facts->nb_components == 0) return AV_PIX_FMT_NONE;
  const AVComponentDescriptor& luma = facts->comp[0];
  if (luma.plane != 0 || luma.shift != 0 || luma.offset != 0) return AV_PIX_FMT_NONE;
  if (luma.step != (luma.depth > 8 ? 2 : 1)) return AV_PIX_FMT_NONE;
  switch (luma.depth) {
    case 8:
      return AV_PIX_FMT_GRAY8;
    case 9:
      return AV_PIX_FMT_GRAY9LE;
    case 10:
      return AV_PIX_FMT_GRAY10LE;
    case 12:
      return AV_PIX_FMT_GRAY12LE;
    case 14:
      return AV_PIX_FMT_GRAY14LE;
    case 16:
      return AV_PIX_FMT_GRAY16LE;
    default:
      return AV_PIX_FMT_NONE;
  }
}

// The formats of JPEG are ordinary ones with the range fixed to full.
std::pair<AVPixelFormat, bool> without_range(AVPixelFormat format) {
  switch (format) {
    case AV_PIX_FMT_YUVJ420P:
      return {AV_PIX_FMT_YUV420P, true};
    case AV_PIX_FMT_YUVJ411P:
      return {AV_PIX_FMT_YUV411P, true};
    case AV_PIX_FMT_YUVJ422P:
      return {AV_PIX_FMT_YUV422P, true};
    case AV_PIX_FMT_YUVJ440P:
      return {AV_PIX_FMT_YUV440P, true};
    case AV_PIX_FMT_YUVJ444P:
      return {AV_PIX_FMT_YUV444P, true};
    default:
      return {format, false};
  }
}

bool has_flag(AVPixelFormat format, std::uint64_t flag) {
  const AVPixFmtDescriptor* facts = av_pix_fmt_desc_get(format);
  return facts && (facts->flags & flag);
}

bool is_grey(AVPixelFormat format) {
  const AVPixFmtDescriptor* facts = av_pix_fmt_desc_get(format);
  return facts && facts->nb_components <= 2 && !(facts->flags & AV_PIX_FMT_FLAG_PAL);
}

// SMPTE ST 2084 code value to light relative to diffuse white (203 cd/m2, ITU-R BT.2408), rolled
// off after Reinhard and coded with the sRGB curve.
double tone_map_pq(double code) {
  constexpr double kM1 = 0.1593017578125, kM2 = 78.84375;
  constexpr double kC1 = 0.8359375, kC2 = 18.8515625, kC3 = 18.6875;
  constexpr double kDiffuseWhite = 203.0, kBrightest = 10.0;
  const double root = std::pow(code, 1.0 / kM2);
  const double linear = std::pow(std::max(root - kC1, 0.0) / (kC2 - kC3 * root), 1.0 / kM1);
  const double light = linear * 10000.0 / kDiffuseWhite;
  const double rolled = light * (1.0 + light / (kBrightest * kBrightest)) / (1.0 + light);
  const double shown = std::clamp(rolled, 0.0, 1.0);
  return shown <= 0.0031308 ? 12.92 * shown : 1.055 * std::pow(shown, 1.0 / 2.4) - 0.055;
}

int matrix_of(int colorspace, int height) {
  if (colorspace == AVCOL_SPC_UNSPECIFIED || colorspace == AVCOL_SPC_RESERVED ||
      colorspace == AVCOL_SPC_RGB) {
    return height >= 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  }
  return colorspace;
}

}  // namespace

PictureScaler::PictureScaler(std::int64_t width, std::int64_t height, FrameColor color,
                             Orientation orientation)
    : out_width_(static_cast<int>(orientation.swap_axes ? height : width)),
      out_height_(static_cast<int>(orientation.swap_axes ? width : height)),
      color_(color),
      orientation_(orientation) {}

PictureScaler::Source PictureScaler::describe(const AVFrame& frame, bool one_field) {
  const auto [format, jpeg] = without_range(static_cast<AVPixelFormat>(frame.format));
  const bool stated_full = frame.color_range == AVCOL_RANGE_JPEG;
  const bool unstated_grey = is_grey(format) && frame.color_range == AVCOL_RANGE_UNSPECIFIED;
  return {.width = frame.width,
          .height = one_field ? frame.height / 2 : frame.height,
          .format = format,
          .colorspace = matrix_of(frame.colorspace, frame.height),
          .transfer = frame.color_trc,
          .full_range = jpeg || stated_full || unstated_grey};
}

void PictureScaler::prepare(const Source& source) {
  if (sws_ && source == source_) return;
  source_ = source;
  const AVPixelFormat luma = luma_format(source.format);
  luma_only_ = color_ == FrameColor::kGrey && luma != AV_PIX_FMT_NONE;
  const bool alpha = has_flag(source.format, AV_PIX_FMT_FLAG_ALPHA | AV_PIX_FMT_FLAG_PAL);
  scaled_channels_ = luma_only_ ? 1 : alpha ? 4 : color_ == FrameColor::kGrey ? 1 : 3;
  const AVPixelFormat from = luma_only_ ? luma : source.format;
  const AVPixelFormat to = scaled_channels_ == 1   ? AV_PIX_FMT_GRAY8
                           : scaled_channels_ == 3 ? AV_PIX_FMT_RGB24
                                                   : AV_PIX_FMT_RGBA;
  sws_.reset(sws_getContext(source.width, source.height, from, out_width_, out_height_, to,
                            SWS_AREA | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT, nullptr, nullptr,
                            nullptr));
  if (!sws_) {
    const char* name = av_get_pix_fmt_name(source.format);
    throw Error(ErrorCode::kInvalidInput,
                std::string("media: pixel format ") + (name ? name : "?") +
                    " cannot be converted; convert the clip to yuv420p first",
                "unreadable");
  }
  sws_setColorspaceDetails(sws_.get(), sws_getCoefficients(source.colorspace),
                           source.full_range || luma_only_, sws_getCoefficients(SWS_CS_DEFAULT),
                           /*dstRange=*/1, 0, 1 << 16, 1 << 16);
  build_table(source);
}

void PictureScaler::build_table(const Source& source) {
  const bool expand = luma_only_ && !source.full_range;
  const bool tone_map = source.transfer == AVCOL_TRC_SMPTE2084;
  use_table_ = expand || tone_map;
  for (int i = 0; i < 256; ++i) {
    double value = expand ? (i - 16) / 219.0 : i / 255.0;
    value = std::clamp(value, 0.0, 1.0);
    if (tone_map) value = tone_map_pq(value);
    table_[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(std::lround(value * 255.0));
  }
}

void PictureScaler::composite(std::vector<std::uint8_t>& rgba) const {
  const std::size_t channels = color_ == FrameColor::kGrey ? 1 : 3;
  const std::size_t count = rgba.size() / 4;
  for (std::size_t i = 0; i < count; ++i) {
    const unsigned alpha = rgba[4 * i + 3];
    const auto over_black = [&](std::size_t c) { return (rgba[4 * i + c] * alpha + 127) / 255; };
    const unsigned red = over_black(0), green = over_black(1), blue = over_black(2);
    if (channels == 1) {
      // Luma weights of ITU-R BT.601, as swscale uses for RGB sources.
      rgba[i] = static_cast<std::uint8_t>((299 * red + 587 * green + 114 * blue + 500) / 1000);
    } else {
      rgba[3 * i] = static_cast<std::uint8_t>(red);
      rgba[3 * i + 1] = static_cast<std::uint8_t>(green);
      rgba[3 * i + 2] = static_cast<std::uint8_t>(blue);
    }
  }
  rgba.resize(count * channels);
}

std::vector<std::uint8_t> PictureScaler::turned(const std::vector<std::uint8_t>& pixels) const {
  const std::size_t channels = color_ == FrameColor::kGrey ? 1 : 3;
  const auto stored_width = static_cast<std::size_t>(out_width_);
  const auto stored_height = static_cast<std::size_t>(out_height_);
  const std::size_t width = orientation_.swap_axes ? stored_height : stored_width;
  const std::size_t height = orientation_.swap_axes ? stored_width : stored_height;
  std::vector<std::uint8_t> result(pixels.size());
  auto* out = result.data();
  for (std::size_t y = 0; y < height; ++y) {
    const std::size_t from_y = orientation_.flip_y ? height - 1 - y : y;
    for (std::size_t x = 0; x < width; ++x, out += channels) {
      const std::size_t from_x = orientation_.flip_x ? width - 1 - x : x;
      const std::size_t stored =
          orientation_.swap_axes ? from_x * stored_width + from_y : from_y * stored_width + from_x;
      std::copy_n(pixels.data() + stored * channels, channels, out);
    }
  }
  return result;
}

Frame PictureScaler::convert(const AVFrame& frame) {
  const bool one_field = frame.interlaced_frame && frame.height >= 4;
  prepare(describe(frame, one_field));
  std::array<const std::uint8_t*, 4> planes{};
  std::array<int, 4> strides{};
  for (std::size_t i = 0; i < 4; ++i) {
    planes[i] = frame.data[i];
    strides[i] = frame.linesize[i];
    const bool is_palette = i == 1 && has_flag(source_.format, AV_PIX_FMT_FLAG_PAL);
    if (!one_field || !planes[i] || is_palette) continue;
    if (!frame.top_field_first) planes[i] += strides[i];
    strides[i] *= 2;
  }
  const auto area = static_cast<std::size_t>(out_width_) * static_cast<std::size_t>(out_height_);
  // swscale's vector code may write past the end of the last line.
  constexpr std::size_t kOverrun = 64;
  std::vector<std::uint8_t> pixels(area * static_cast<std::size_t>(scaled_channels_) + kOverrun);
  std::array<std::uint8_t*, 4> targets{pixels.data()};
  const std::array<int, 4> target_strides{out_width_ * scaled_channels_};
  sws_scale(sws_.get(), planes.data(), strides.data(), 0, source_.height, targets.data(),
            target_strides.data());
  pixels.resize(area * static_cast<std::size_t>(scaled_channels_));
  if (use_table_) {
    for (std::uint8_t& value : pixels) value = table_[value];
  }
  if (scaled_channels_ == 4) composite(pixels);
  Frame result;
  result.channels = color_ == FrameColor::kGrey ? 1 : 3;
  result.width = orientation_.swap_axes ? out_height_ : out_width_;
  result.height = orientation_.swap_axes ? out_width_ : out_height_;
  result.pixels = orientation_.is_identity() ? std::move(pixels) : turned(pixels);
  return result;
}

}  // namespace qingyin::media
