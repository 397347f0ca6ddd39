#include "understanding/curve.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace qingyin::test {
namespace {

Curve bump(double centre_s, double sigma_s, std::size_t steps) {
  Curve curve{0, std::vector<double>(steps)};
  for (std::size_t i = 0; i < steps; ++i) {
    const double d = (curve.time_of(static_cast<double>(i)) - centre_s) / sigma_s;
    curve.values[i] = std::exp(-0.5 * d * d);
  }
  return curve;
}

TEST(Curve, QuantileInterpolatesOrderStatistics) {
  const std::array<double, 5> values = {5, 1, 4, 2, 3};
  EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 3);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 5);
  EXPECT_DOUBLE_EQ(quantile(values, 0.98), 4.92);
  EXPECT_DOUBLE_EQ(quantile({}, 0.5), 0);
}

TEST(Curve, ResampledJoinsPointsAndKnowsItsEnds) {
  const std::array<double, 2> times = {0.02, 0.06}, values = {1, 3};
  const Curve zero = resampled(times, values, Outside::kZero, 0, 10);
  EXPECT_DOUBLE_EQ(zero.values[0], 0);
  EXPECT_NEAR(zero.values[4], 2, 1e-9);
  EXPECT_DOUBLE_EQ(zero.values[9], 0);
  const Curve held = resampled(times, values, Outside::kHeld, 0, 10);
  EXPECT_DOUBLE_EQ(held.values[0], 1);
  EXPECT_DOUBLE_EQ(held.values[9], 3);
}

TEST(Curve, PeakIsFoundBetweenSamples) {
  const auto peaks = find_peaks(bump(1.2341, 0.03, 300), 0.15, 0.5, 0.3);
  ASSERT_EQ(peaks.size(), 1U);
  EXPECT_NEAR(peaks[0].time_s, 1.2341, 0.001);
  EXPECT_NEAR(peaks[0].prominence, 1, 0.06);
}

TEST(Curve, FlatCurveHasNoPeak) {
  EXPECT_TRUE(find_peaks({0, std::vector<double>(200, 1.0)}, 0.15, 0.5, 0.0).empty());
  EXPECT_TRUE(find_peaks({0, std::vector<double>(1, 1.0)}, 0.15, 0.5, 0.3).empty());
}

TEST(Curve, SmoothingKeepsTheAreaAndTheCentre) {
  Curve spike{0, std::vector<double>(100, 0.0)};
  spike.values[50] = 1;
  const Curve soft = smoothed(spike, 0.02);
  double area = 0, moment = 0;
  for (std::size_t i = 0; i < soft.size(); ++i) {
    area += soft.values[i];
    moment += soft.values[i] * static_cast<double>(i);
  }
  EXPECT_NEAR(area, 1, 1e-9);
  EXPECT_NEAR(moment, 50, 1e-6);
}

}  // namespace
}  // namespace qingyin::test
