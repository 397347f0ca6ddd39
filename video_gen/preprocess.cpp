#include "video_gen/preprocess.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace qingyin {
namespace {

constexpr double kLobes = 3;
constexpr int kWeightBits = 22;  // fixed point: 32 bits, less 8 of the value and 2 of overshoot
constexpr std::int64_t kChannels = 3;

double sinc(double x) { return x == 0 ? 1 : std::sin(x * M_PI) / (x * M_PI); }

double lanczos(double x) { return x >= -kLobes && x < kLobes ? sinc(x) * sinc(x / kLobes) : 0; }

/// Which input pixels make one output pixel, and how much of each.
struct Taps {
  std::int64_t first = 0;
  std::vector<std::int32_t> weights;
};

/// Of output pixel `i`; `scale` is input over output length.
Taps taps_at(std::int64_t i, std::int64_t input, double scale) {
  const double widening = std::max(scale, 1.0);  // reducing: the filter covers more input
  const double support = kLobes * widening, centre = (static_cast<double>(i) + 0.5) * scale;
  const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(centre - support + 0.5));
  const auto last = std::min(input, static_cast<std::int64_t>(centre + support + 0.5));
  // Multiplied by the inverse, summed and divided as Pillow does: every rounding counts.
  const double narrowing = 1.0 / widening;
  std::vector<double> weights;
  double sum = 0;
  for (std::int64_t x = first; x < last; ++x) {
    weights.push_back(lanczos((static_cast<double>(x) - centre + 0.5) * narrowing));
    sum += weights.back();
  }
  Taps taps{.first = first, .weights = {}};
  for (const double weight : weights) {
    const double fixed = (sum != 0 ? weight / sum : weight) * (1 << kWeightBits);
    taps.weights.push_back(static_cast<std::int32_t>(fixed < 0 ? fixed - 0.5 : fixed + 0.5));
  }
  return taps;
}

std::vector<Taps> all_taps(std::int64_t input, std::int64_t output) {
  const double scale = static_cast<double>(input) / static_cast<double>(output);
  std::vector<Taps> all;
  for (std::int64_t i = 0; i < output; ++i) all.push_back(taps_at(i, input, scale));
  return all;
}

/// One value: `stride` is from one input pixel to the next.
std::uint8_t weighted(const std::uint8_t* first, std::int64_t stride, const Taps& taps) {
  std::int32_t sum = 1 << (kWeightBits - 1);
  for (const std::int32_t weight : taps.weights) {
    sum += *first * weight;
    first += stride;
  }
  return static_cast<std::uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
}

RgbPicture blank(std::int64_t height, std::int64_t width) {
  return {
      .height = height,
      .width = width,
      .pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * kChannels))};
}

RgbPicture with_width(const RgbPicture& from, std::int64_t width) {
  const std::vector<Taps> taps = all_taps(from.width, width);
  RgbPicture to = blank(from.height, width);
  auto out = to.pixels.begin();
  for (std::int64_t y = 0; y < from.height; ++y)
    for (const Taps& tap : taps)
      for (std::int64_t c = 0; c < kChannels; ++c)
        *out++ = weighted(from.pixels.data() + (y * from.width + tap.first) * kChannels + c,
                          kChannels, tap);
  return to;
}

RgbPicture with_height(const RgbPicture& from, std::int64_t height) {
  const std::vector<Taps> taps = all_taps(from.height, height);
  const std::int64_t row = from.width * kChannels;
  RgbPicture to = blank(height, from.width);
  auto out = to.pixels.begin();
  for (const Taps& tap : taps)
    for (std::int64_t i = 0; i < row; ++i)
      *out++ = weighted(from.pixels.data() + tap.first * row + i, row, tap);
  return to;
}

/// The part of `from` that begins at (top, left) put at (to_top, to_left) of `to`.
void copy_part(const RgbPicture& from, std::int64_t top, std::int64_t left, RgbPicture& to,
               std::int64_t to_top, std::int64_t to_left) {
  const std::int64_t rows = std::min(from.height - top, to.height - to_top);
  const std::int64_t columns = std::min(from.width - left, to.width - to_left);
  for (std::int64_t y = 0; y < rows; ++y)
    std::copy_n(from.pixels.begin() + ((top + y) * from.width + left) * kChannels,
                columns * kChannels,
                to.pixels.begin() + ((to_top + y) * to.width + to_left) * kChannels);
}

}  // namespace

void require_picture(const RgbPicture& p) {
  require(p.height > 0 && p.width > 0 &&
              p.pixels.size() == static_cast<std::size_t>(p.height * p.width * kChannels),
          ErrorCode::kInvalidInput,
          "a picture of " + std::to_string(p.width) + " x " + std::to_string(p.height) +
              " pixels has " + std::to_string(p.pixels.size()) +
              " bytes, expected 3 for every pixel");
}

RgbPicture resized(const RgbPicture& picture, std::int64_t height, std::int64_t width) {
  require_picture(picture);
  require(height > 0 && width > 0, ErrorCode::kUsage,
          "a picture cannot be made " + std::to_string(width) + " x " + std::to_string(height) +
              " pixels large");
  RgbPicture result = picture.width == width ? picture : with_width(picture, width);
  return result.height == height ? result : with_height(result, height);
}

RgbPicture fitted(const RgbPicture& picture, std::int64_t height, std::int64_t width,
                  PictureFit fit) {
  if (fit == PictureFit::kStretch) return resized(picture, height, width);
  require_picture(picture);
  const double by_height = static_cast<double>(height) / static_cast<double>(picture.height);
  const double by_width = static_cast<double>(width) / static_cast<double>(picture.width);
  const bool is_crop = fit == PictureFit::kCrop;
  const double factor = is_crop ? std::max(by_height, by_width) : std::min(by_height, by_width);
  const auto scaled = [&](std::int64_t side, std::int64_t wanted) {
    const auto length = std::llround(static_cast<double>(side) * factor);
    return is_crop ? std::max<std::int64_t>(wanted, length)
                   : std::clamp<std::int64_t>(length, 1, wanted);
  };
  const RgbPicture inner =
      resized(picture, scaled(picture.height, height), scaled(picture.width, width));
  const std::int64_t spare_rows = inner.height - height, spare_columns = inner.width - width;
  RgbPicture out = blank(height, width);
  copy_part(inner, std::max<std::int64_t>(0, spare_rows / 2),
            std::max<std::int64_t>(0, spare_columns / 2), out,
            std::max<std::int64_t>(0, -spare_rows / 2),
            std::max<std::int64_t>(0, -spare_columns / 2));
  return out;
}

std::array<float, 256> network_values() {
  std::array<float, 256> values{};
  for (std::size_t v = 0; v < values.size(); ++v)
    values[v] = 2.0F * (static_cast<float>(v) / 255.0F) - 1.0F;
  return values;
}

}  // namespace qingyin
