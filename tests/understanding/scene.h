#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "core/media/frame_reader.h"

namespace qingyin::test {

/// Brightness [0, 255] of a made scene at a point (x right, y down, in pixels) and a time.
using Scene = std::function<double(double x, double y, double t)>;

inline double hash01(std::int64_t n) {
  auto h = static_cast<std::uint64_t>(n) * 0x9E3779B97F4A7C15ULL;
  h ^= h >> 32;
  h *= 0xD6E8FEB86659FD93ULL;
  h ^= h >> 32;
  return static_cast<double>(h >> 11) / 9007199254740992.0;
}

/// A smooth static texture.
inline double texture(double x, double y) {
  return 110 + 35 * std::sin(0.23 * x + 1.7 * std::sin(0.05 * y)) * std::cos(0.19 * y) +
         20 * std::sin(0.071 * x - 0.113 * y);
}

/// The same at whole pixels, from a table.
inline double backdrop(double x, double y) {
  constexpr int kWidth = 320, kHeight = 180;
  static const std::vector<double> table = [] {
    std::vector<double> values;
    for (int row = 0; row < kHeight; ++row)
      for (int column = 0; column < kWidth; ++column) values.push_back(texture(column, row));
    return values;
  }();
  return table[static_cast<std::size_t>(y) * kWidth + static_cast<std::size_t>(x)];
}

/// A textured disc of soft edge drawn over `under`.
inline double disc(double under, double x, double y, double cx, double cy, double radius) {
  const double distance = std::sqrt((x - cx) * (x - cx) + (y - cy) * (y - cy));
  if (distance > radius + 8) return under;
  const double cover = 1 / (1 + std::exp((distance - radius) / 0.6));
  const double skin = 190 + 50 * std::sin(0.5 * (x - cx)) * std::cos(0.45 * (y - cy));
  return under + cover * (skin - under);
}

/// Frames of a made scene: a reader without a file. Keeps nothing, so that any length streams.
class SceneReader : public FrameReader {
 public:
  SceneReader(Scene scene, std::vector<double> times, double duration_s, int width = 320,
              int height = 180)
      : scene_(std::move(scene)), times_(std::move(times)) {
    clip_.path = "scene.mp4";
    clip_.duration = Seconds(duration_s);
    clip_.rate = {30, 1};
    clip_.width = width;
    clip_.height = height;
  }

  const ClipInfo& clip() const override { return clip_; }

  std::optional<Frame> next() override {
    if (index_ == times_.size()) return {};
    Frame frame;
    frame.width = clip_.width;
    frame.height = clip_.height;
    frame.channels = 1;
    frame.time = Seconds(times_[index_++]);
    frame.pixels.reserve(static_cast<std::size_t>(frame.width * frame.height));
    for (std::int64_t y = 0; y < frame.height; ++y)
      for (std::int64_t x = 0; x < frame.width; ++x)
        frame.pixels.push_back(static_cast<std::uint8_t>(std::clamp(
            scene_(static_cast<double>(x), static_cast<double>(y), frame.time.count()) + 0.5, 0.0,
            255.0)));
    return frame;
  }

 private:
  Scene scene_;
  std::vector<double> times_;
  ClipInfo clip_;
  std::size_t index_ = 0;
};

/// Times of an even rate over a duration.
inline std::vector<double> even_times(double duration_s, double rate) {
  std::vector<double> times;
  for (int i = 0; i / rate < duration_s - 1e-9; ++i) times.push_back(i / rate);
  return times;
}

}  // namespace qingyin::test
