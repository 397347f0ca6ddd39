#include "training/scenes/canvas.h"

#include <algorithm>
#include <cmath>

namespace qingyin::training {

Canvas::Canvas(int width, int height)
    : width_(width),
      height_(height),
      pixels_per_unit_(width / 16.0),
      pixels_(static_cast<std::size_t>(width) * height * 3) {}

void Canvas::fill(const std::function<Color(Point)>& color_at) {
  std::size_t at = 0;
  for (int row = 0; row < height_; ++row)
    for (int column = 0; column < width_; ++column) {
      const Color c = color_at({(column + 0.5) / pixels_per_unit_, (row + 0.5) / pixels_per_unit_});
      pixels_[at++] = c.red;
      pixels_[at++] = c.green;
      pixels_[at++] = c.blue;
    }
}

void Canvas::cover(Point low, Point high, const std::function<double(Point)>& distance,
                   const std::function<Color(Point)>& shade) {
  const auto pixel = [this](double units) { return static_cast<int>(units * pixels_per_unit_); };
  const int left = std::clamp(pixel(low.x) - 1, 0, width_);
  const int right = std::clamp(pixel(high.x) + 2, 0, width_);
  const int top = std::clamp(pixel(low.y) - 1, 0, height_);
  const int bottom = std::clamp(pixel(high.y) + 2, 0, height_);
  for (int row = top; row < bottom; ++row)
    for (int column = left; column < right; ++column) {
      const Point p{(column + 0.5) / pixels_per_unit_, (row + 0.5) / pixels_per_unit_};
      const auto covered =
          static_cast<float>(std::clamp(0.5 - distance(p) * pixels_per_unit_, 0.0, 1.0));
      if (covered <= 0) continue;
      const Color c = shade(p);
      float* out = &pixels_[(static_cast<std::size_t>(row) * width_ + column) * 3];
      out[0] += covered * (c.red - out[0]);
      out[1] += covered * (c.green - out[1]);
      out[2] += covered * (c.blue - out[2]);
    }
}

void Canvas::circle(Point center, double radius, const std::function<Color(Point)>& shade) {
  cover(
      {center.x - radius, center.y - radius}, {center.x + radius, center.y + radius},
      [&](Point p) { return std::hypot(p.x - center.x, p.y - center.y) - radius; }, shade);
}

void Canvas::bar(Point from, Point to, double half_width, Color color) {
  const double dx = to.x - from.x, dy = to.y - from.y;
  const double squared = std::max(dx * dx + dy * dy, 1e-12);
  cover(
      {std::min(from.x, to.x) - half_width, std::min(from.y, to.y) - half_width},
      {std::max(from.x, to.x) + half_width, std::max(from.y, to.y) + half_width},
      [&](Point p) {
        const double along =
            std::clamp(((p.x - from.x) * dx + (p.y - from.y) * dy) / squared, 0.0, 1.0);
        return std::hypot(p.x - from.x - along * dx, p.y - from.y - along * dy) - half_width;
      },
      [&](Point) { return color; });
}

void Canvas::shadow(Point center, double half_width, double half_height, double strength) {
  const auto pixel = [this](double units) { return static_cast<int>(units * pixels_per_unit_); };
  const int top = std::clamp(pixel(center.y - half_height), 0, height_);
  const int bottom = std::clamp(pixel(center.y + half_height) + 1, 0, height_);
  const int left = std::clamp(pixel(center.x - half_width), 0, width_);
  const int right = std::clamp(pixel(center.x + half_width) + 1, 0, width_);
  for (int row = top; row < bottom; ++row)
    for (int column = left; column < right; ++column) {
      const double x = ((column + 0.5) / pixels_per_unit_ - center.x) / half_width;
      const double y = ((row + 0.5) / pixels_per_unit_ - center.y) / half_height;
      const double fall = std::max(0.0, 1 - x * x - y * y);
      const auto keep = static_cast<float>(1 - strength * fall);
      float* out = &pixels_[(static_cast<std::size_t>(row) * width_ + column) * 3];
      for (int c = 0; c < 3; ++c) out[c] *= keep;
    }
}

void Canvas::add_to(std::vector<float>& sum, float weight) const {
  sum.resize(pixels_.size());
  for (std::size_t i = 0; i < pixels_.size(); ++i) sum[i] += weight * pixels_[i];
}

}  // namespace qingyin::training
