#include "understanding/motion_map.h"

#include <gtest/gtest.h>

#include <cmath>

namespace qingyin {
namespace {

double pattern(double x, double y) {
  return 120 + 40 * std::sin(0.5 * x + 0.2 * y) + 40 * std::cos(0.6 * y - 0.1 * x);
}

/// A texture, and a square of another one that stands at (x, y).
SmallPicture scene(double x, double y, double brighter = 0) {
  SmallPicture picture;
  for (int row = 0; row < kSmallHeight; ++row)
    for (int column = 0; column < kSmallWidth; ++column) {
      const bool inside = std::abs(column - x) < 14 && std::abs(row - y) < 14;
      const double value =
          inside ? pattern(1.3 * (column - x), 1.2 * (row - y)) : pattern(column, row);
      picture.push_back(static_cast<float>(value + brighter));
    }
  return picture;
}

float value(const MotionMap& map, int channel, int row, int column) {
  return map.values[static_cast<std::size_t>(channel * kMapCells + row * kMapColumns + column)];
}

TEST(MotionMap, TellsWhereSomethingMovesAndWhichWay) {
  const MotionMap map = map_motion(scene(48, 32), scene(49, 31.5), 0, 0.04);
  EXPECT_GT(value(map, 0, 4, 6), 1);         // right
  EXPECT_LT(value(map, 1, 4, 6), -0.5);      // up
  EXPECT_NEAR(value(map, 0, 0, 0), 0, 0.2);  // elsewhere nothing
  EXPECT_GT(value(map, 2, 4, 6), value(map, 2, 0, 0) + 1);
  EXPECT_LT(value(map, 3, 4, 6), value(map, 2, 4, 6));  // the motion explains the change
}

TEST(MotionMap, CameraIsToldApartFromThings) {
  SmallPicture before, after;
  for (int row = 0; row < kSmallHeight; ++row)
    for (int column = 0; column < kSmallWidth; ++column) {
      before.push_back(static_cast<float>(pattern(column, row)));
      after.push_back(static_cast<float>(pattern(column - 1, row)));
    }
  const MotionMap map = map_motion(before, after, 0, 0.04);
  EXPECT_NEAR(value(map, 0, 4, 6), 0, 0.4);
  EXPECT_GT(value(map, 7, 4, 6), 1.5);
}

TEST(MotionMap, FlashIsBrighterEverywhere) {
  const MotionMap map = map_motion(scene(48, 32), scene(48, 32, 30), 1, 1.04);
  for (int column = 0; column < kMapColumns; ++column) EXPECT_GT(value(map, 4, 2, column), 1.5);
  EXPECT_DOUBLE_EQ(map.start_s, 1);
}

TEST(MotionMap, ShrinkAveragesAnyShape) {
  const std::vector<std::uint8_t> one(320 * 180, 77);
  for (const float pixel : shrink(one, 320, 180, 320)) ASSERT_FLOAT_EQ(pixel, 77);
  const std::vector<std::uint8_t> tiny{0, 200};
  const SmallPicture wide = shrink(tiny, 2, 1, 2);
  ASSERT_EQ(wide.size(), static_cast<std::size_t>(kSmallWidth * kSmallHeight));
  EXPECT_FLOAT_EQ(wide.front(), 0);
  EXPECT_FLOAT_EQ(wide.back(), 200);
}

}  // namespace
}  // namespace qingyin
