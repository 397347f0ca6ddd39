#include "understanding/sustained_finder.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace qingyin::test {
namespace {

// A block of cells that changes at a strength, its left edge in column `column`.
MotionSample moving(int index, float strength, int column, double frame_s = 1 / 30.0) {
  MotionSample s{.start_s = index * frame_s, .end_s = (index + 1) * frame_s};
  for (int row = 2; row < 6; ++row)
    for (int c = column; c < column + 2; ++c)
      s.change[static_cast<std::size_t>(row * kGridSide + c)] = strength;
  return s;
}

TEST(SustainedFinder, FindsAnEvenStretchWithItsExtentAndTravel) {
  SustainedFinder finder;
  for (int i = 0; i < 300; ++i) {
    const bool on = i >= 60 && i < 210;
    finder.add(moving(i, on ? 120.0F : 0.0F, std::clamp((i - 60) / 25, 0, 6)));
  }
  finder.end_shot();
  ASSERT_EQ(finder.found().size(), 1U);
  const SustainedMotion& motion = finder.found()[0];
  EXPECT_NEAR(motion.begin_s, 2.0, 1.5);
  EXPECT_NEAR(motion.end_s, 7.0, 0.6);
  EXPECT_GE(motion.travel, 0.4);
  EXPECT_NEAR(motion.strength, 120, 15);
  ASSERT_FALSE(motion.levels.empty());
  EXPECT_DOUBLE_EQ(*std::ranges::max_element(motion.levels), 1);
}

TEST(SustainedFinder, LevelsDoNotGrowWithTheStretch) {
  SustainedFinder finder;
  for (int i = 0; i < 30 * 600; ++i) finder.add(moving(i, 120.0F, 3));
  finder.end_shot();
  ASSERT_EQ(finder.found().size(), 1U);
  EXPECT_NEAR(finder.found()[0].end_s - finder.found()[0].begin_s, 600, 0.1);
  EXPECT_LE(finder.found()[0].levels.size(), 128U);
}

TEST(SustainedFinder, ShortWeakAndUnevenMotionIsNone) {
  SustainedFinder finder;
  for (int i = 0; i < 30; ++i) finder.add(moving(i, 120.0F, 3));
  finder.end_shot();
  for (int i = 0; i < 300; ++i) finder.add(moving(i, 10.0F, 3));
  finder.end_shot();
  for (int i = 0; i < 300; ++i) finder.add(moving(i, i % 30 < 5 ? 300.0F : 0.0F, 3));
  finder.end_shot();
  EXPECT_TRUE(finder.found().empty());
}

TEST(SustainedFinder, SlideShowsShowNoPaceAndSlowCamerasDo) {
  SustainedFinder finder;
  for (int i = 0; i < 60; ++i) finder.add(moving(i, 120.0F, 3, 0.5));
  finder.end_shot();
  EXPECT_TRUE(finder.found().empty());
  for (int i = 0; i < 60; ++i) finder.add(moving(i, 120.0F, 3, 0.2));
  finder.end_shot();
  EXPECT_EQ(finder.found().size(), 1U);
}

}  // namespace
}  // namespace qingyin::test
