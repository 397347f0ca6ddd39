#include "understanding/motion_map.h"

#include <algorithm>
#include <cmath>

namespace qingyin {
namespace {

constexpr int kLevels = 3;
constexpr int kReach = 4;  // pixels around a cell's centre that its motion is fitted to
constexpr int kCoarseTurns = 2, kFineTurns = 1;  // of the fit, on the coarsest level and others
constexpr int kCell = kSmallWidth / kMapColumns;
static_assert(kSmallHeight / kMapRows == kCell);

struct Level {
  int width, height;
  std::vector<float> pixels;

  float at(int x, int y) const { return pixels[static_cast<std::size_t>(y * width + x)]; }
};

/// Square of kSide pixels between the pixels of a level, from (x, y) on; pushed inside the edges.
template <int kSide>
std::array<float, kSide * kSide> square(const Level& level, float x, float y) {
  constexpr float kEdge = kSide + 0.001F;
  x = std::clamp(x, 0.0F, static_cast<float>(level.width) - kEdge);
  y = std::clamp(y, 0.0F, static_cast<float>(level.height) - kEdge);
  const int left = static_cast<int>(x), top = static_cast<int>(y);
  const float fx = x - static_cast<float>(left), fy = y - static_cast<float>(top);
  const float a = (1 - fx) * (1 - fy), b = fx * (1 - fy), c = (1 - fx) * fy, d = fx * fy;
  std::array<float, kSide * kSide> result;
  for (int j = 0; j < kSide; ++j) {
    const float* above = &level.pixels[static_cast<std::size_t>((top + j) * level.width + left)];
    const float* below = above + level.width;
    for (int i = 0; i < kSide; ++i)
      result[j * kSide + i] = a * above[i] + b * above[i + 1] + c * below[i] + d * below[i + 1];
  }
  return result;
}

Level halved(const Level& level) {
  Level half{level.width / 2, level.height / 2, {}};
  half.pixels.reserve(static_cast<std::size_t>(half.width * half.height));
  for (int y = 0; y < half.height; ++y)
    for (int x = 0; x < half.width; ++x)
      half.pixels.push_back(0.25F * (level.at(2 * x, 2 * y) + level.at(2 * x + 1, 2 * y) +
                                     level.at(2 * x, 2 * y + 1) + level.at(2 * x + 1, 2 * y + 1)));
  return half;
}

std::array<Level, kLevels> pyramid(const SmallPicture& picture) {
  std::array<Level, kLevels> levels;
  levels[0] = {kSmallWidth, kSmallHeight, picture};
  for (int l = 1; l < kLevels; ++l) levels[l] = halved(levels[l - 1]);
  return levels;
}

struct Shift {
  float x = 0, y = 0;
};

// One level: what is left of the shift after a first guess. Flat parts stay where they are.
Shift refined(const Level& before, const Level& after, int center_x, int center_y, int turns,
              Shift shift) {
  constexpr float kFlat = 60;  // of the gradients' squares, keeps still what shows no texture
  constexpr float kMost = 1.5;
  constexpr int kSide = 2 * kReach;
  std::array<float, kSide * kSide> gx, gy;
  const int left = std::clamp(center_x - kReach, 1, before.width - kSide - 1);
  const int top = std::clamp(center_y - kReach, 1, before.height - kSide - 1);
  float xx = kFlat, yy = kFlat, xy = 0;
  for (int j = 0; j < kSide; ++j)
    for (int i = 0; i < kSide; ++i) {
      const int x = left + i, y = top + j, k = j * kSide + i;
      gx[k] = 0.5F * (before.at(x + 1, y) - before.at(x - 1, y));
      gy[k] = 0.5F * (before.at(x, y + 1) - before.at(x, y - 1));
      xx += gx[k] * gx[k];
      yy += gy[k] * gy[k];
      xy += gx[k] * gy[k];
    }
  const float determinant = xx * yy - xy * xy;
  const auto first = square<kSide>(before, static_cast<float>(left), static_cast<float>(top));
  for (int turn = 0; turn < turns; ++turn) {
    const auto second =
        square<kSide>(after, static_cast<float>(left) + shift.x, static_cast<float>(top) + shift.y);
    float bx = 0, by = 0;
    for (int k = 0; k < kSide * kSide; ++k) {
      bx += gx[k] * (first[k] - second[k]);
      by += gy[k] * (first[k] - second[k]);
    }
    shift.x += std::clamp((yy * bx - xy * by) / determinant, -kMost, kMost);
    shift.y += std::clamp((xx * by - xy * bx) / determinant, -kMost, kMost);
  }
  return shift;
}

float median(std::array<float, kMapCells> values) {
  std::nth_element(values.begin(), values.begin() + kMapCells / 2, values.end());
  return values[kMapCells / 2];
}

float compressed(double value, double scale) {
  return static_cast<float>(std::copysign(std::log1p(std::abs(value) / scale), value));
}

struct CellFacts {
  double change = 0, left = 0, brighter = 0, mean = 0, deviation = 0;
};

CellFacts facts_of(const Level& before, const Level& after, int column, int row, Shift shift) {
  constexpr double kPixels = kCell * kCell;
  const auto left = static_cast<float>(column * kCell), top = static_cast<float>(row * kCell);
  const auto then = square<kCell>(before, left, top), now = square<kCell>(after, left, top);
  const auto followed = square<kCell>(after, left + shift.x, top + shift.y);
  float change = 0, rest = 0, sum_then = 0, sum_now = 0, squares = 0;
  for (int k = 0; k < kCell * kCell; ++k) {
    change += std::abs(now[k] - then[k]);
    rest += std::abs(followed[k] - then[k]);
    sum_then += then[k];
    sum_now += now[k];
    squares += now[k] * now[k];
  }
  const double mean = sum_now / kPixels;
  return {.change = change / kPixels,
          .left = rest / kPixels,
          .brighter = (sum_now - sum_then) / kPixels,
          .mean = mean,
          .deviation = std::sqrt(std::max(0.0, squares / kPixels - mean * mean))};
}

}  // namespace

SmallPicture shrink(std::span<const std::uint8_t> pixels, int width, int height,
                    std::size_t stride) {
  SmallPicture small(static_cast<std::size_t>(kSmallWidth) * kSmallHeight);
  for (int row = 0; row < kSmallHeight; ++row) {
    const int top = row * height / kSmallHeight;
    const int bottom = std::max(top + 1, (row + 1) * height / kSmallHeight);
    for (int column = 0; column < kSmallWidth; ++column) {
      const int left = column * width / kSmallWidth;
      const int right = std::max(left + 1, (column + 1) * width / kSmallWidth);
      int sum = 0;
      for (int y = top; y < bottom; ++y)
        for (int x = left; x < right; ++x)
          sum += pixels[static_cast<std::size_t>(y) * stride + static_cast<std::size_t>(x)];
      small[static_cast<std::size_t>(row * kSmallWidth + column)] =
          static_cast<float>(sum) / static_cast<float>((bottom - top) * (right - left));
    }
  }
  return small;
}

MotionMap map_motion(const SmallPicture& before, const SmallPicture& after, double start_s,
                     double end_s) {
  constexpr double kSlow = 4, kQuiet = 20, kDim = 4, kFlat = 8, kUsualSpacing = 0.04;
  const auto old_levels = pyramid(before), new_levels = pyramid(after);
  std::array<Shift, kMapCells> shifts;
  std::array<float, kMapCells> across, down;
  for (int cell = 0; cell < kMapCells; ++cell) {
    const int x = (cell % kMapColumns) * kCell + kCell / 2;
    const int y = (cell / kMapColumns) * kCell + kCell / 2;
    Shift shift;
    for (int l = kLevels - 1; l >= 0; --l) {
      shift = refined(old_levels[l], new_levels[l], x >> l, y >> l,
                      l == kLevels - 1 ? kCoarseTurns : kFineTurns, {2 * shift.x, 2 * shift.y});
    }
    shifts[cell] = shift;
    across[cell] = shift.x;
    down[cell] = shift.y;
  }
  const Shift camera{median(across), median(down)};
  const double seconds = end_s - start_s;
  MotionMap map{.start_s = start_s, .end_s = end_s};
  for (int cell = 0; cell < kMapCells; ++cell) {
    const Shift& shift = shifts[cell];
    const CellFacts f =
        facts_of(old_levels[0], new_levels[0], cell % kMapColumns, cell / kMapColumns, shift);
    const std::array<float, kMapChannels> row{
        compressed((shift.x - camera.x) / seconds, kSlow),
        compressed((shift.y - camera.y) / seconds, kSlow),
        compressed(f.change / seconds, kQuiet),
        compressed(f.left / seconds, kQuiet),
        compressed(f.brighter, kDim),
        static_cast<float>(f.mean / 64 - 2),
        compressed(f.deviation, kFlat),
        compressed(camera.x / seconds, kSlow),
        compressed(camera.y / seconds, kSlow),
        static_cast<float>(std::clamp(seconds / kUsualSpacing - 1, -1.0, 3.0))};
    for (int c = 0; c < kMapChannels; ++c)
      map.values[static_cast<std::size_t>(c * kMapCells + cell)] = row[c];
  }
  return map;
}

}  // namespace qingyin
