#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace qingyin {

/// Evidence on an even grid of times: sample i belongs to `begin_s + i * kStep`.
struct Curve {
  static constexpr double kStep = 0.01;  // seconds

  double begin_s = 0;
  std::vector<double> values;

  std::size_t size() const { return values.size(); }
  double time_of(double index) const { return begin_s + index * kStep; }
  /// The nearest sample that exists. The curve must not be empty.
  std::size_t index_of(double time_s) const;
};

/// What a curve is beyond the first and the last given point.
enum class Outside { kZero, kHeld };

/// The points (times, values) joined by lines and read on the grid of `steps` samples.
/// Times must not fall. No points: all zero.
Curve resampled(std::span<const double> times, std::span<const double> values, Outside outside,
                double begin_s, std::size_t steps);

/// Smoothed by a Gaussian; zero is assumed beyond the ends.
Curve smoothed(const Curve& curve, double sigma_s);

/// Linear interpolation between order statistics, `share` in [0, 1]; 0 of nothing.
double quantile(std::span<const double> values, double share);

/// Median of the curve within [from, to) samples, cut off at its ends; 0 of nothing.
double local_median(const Curve& curve, std::ptrdiff_t from, std::ptrdiff_t to);

/// Median within +-reach of every sample; the curve is mirrored at its ends.
std::vector<double> running_median(std::span<const double> values, std::ptrdiff_t reach);

/// A local maximum: the largest within +-reach that stands `prominence` above the running median.
struct Peak {
  std::size_t index;
  double time_s;      // refined by a parabola through three samples
  double prominence;  // height above the running median
};

std::vector<Peak> find_peaks(const Curve& curve, double reach_s, double median_reach_s,
                             double prominence);

}  // namespace qingyin
