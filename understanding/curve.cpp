#include "understanding/curve.h"

#include <algorithm>
#include <cmath>

namespace qingyin {

std::size_t Curve::index_of(double time_s) const {
  const double index = std::round((time_s - begin_s) / kStep);
  return static_cast<std::size_t>(std::clamp(index, 0.0, static_cast<double>(size() - 1)));
}

Curve resampled(std::span<const double> times, std::span<const double> values, Outside outside,
                double begin_s, std::size_t steps) {
  Curve curve{begin_s, std::vector<double>(steps, 0.0)};
  if (times.empty()) return curve;
  std::size_t right = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    const double t = curve.time_of(static_cast<double>(i));
    while (right < times.size() && times[right] < t) ++right;
    const bool before = right == 0 && t < times.front();
    if (before || right == times.size()) {
      if (outside == Outside::kHeld) curve.values[i] = before ? values.front() : values.back();
      continue;
    }
    if (right == 0) {
      curve.values[i] = values.front();
      continue;
    }
    const double span = times[right] - times[right - 1];
    const double share = span > 0 ? (t - times[right - 1]) / span : 1;
    curve.values[i] = values[right - 1] + share * (values[right] - values[right - 1]);
  }
  return curve;
}

Curve smoothed(const Curve& curve, double sigma_s) {
  const auto reach = static_cast<std::ptrdiff_t>(std::ceil(4 * sigma_s / Curve::kStep));
  std::vector<double> kernel;
  double sum = 0;
  for (std::ptrdiff_t k = -reach; k <= reach; ++k) {
    const double t = static_cast<double>(k) * Curve::kStep / sigma_s;
    kernel.push_back(std::exp(-0.5 * t * t));
    sum += kernel.back();
  }
  Curve out{curve.begin_s, std::vector<double>(curve.size(), 0.0)};
  const auto size = static_cast<std::ptrdiff_t>(curve.size());
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    double total = 0;
    for (std::ptrdiff_t k = std::max(-reach, -i); k <= std::min(reach, size - 1 - i); ++k)
      total += kernel[static_cast<std::size_t>(k + reach)] *
               curve.values[static_cast<std::size_t>(i + k)];
    out.values[static_cast<std::size_t>(i)] = total / sum;
  }
  return out;
}

double quantile(std::span<const double> values, double share) {
  if (values.empty()) return 0;
  std::vector<double> sorted(values.begin(), values.end());
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(place);
  const auto at_low = sorted.begin() + static_cast<std::ptrdiff_t>(low);
  std::nth_element(sorted.begin(), at_low, sorted.end());
  if (low + 1 == sorted.size()) return *at_low;
  const double next = *std::min_element(at_low + 1, sorted.end());
  return *at_low + (place - static_cast<double>(low)) * (next - *at_low);
}

double local_median(const Curve& curve, std::ptrdiff_t from, std::ptrdiff_t to) {
  const auto size = static_cast<std::ptrdiff_t>(curve.size());
  const std::ptrdiff_t begin = std::clamp<std::ptrdiff_t>(from, 0, size);
  const std::ptrdiff_t end = std::clamp<std::ptrdiff_t>(to, begin, size);
  return quantile(
      std::span(curve.values)
          .subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)),
      0.5);
}

std::vector<double> running_median(std::span<const double> values, std::ptrdiff_t reach) {
  const auto size = static_cast<std::ptrdiff_t>(values.size());
  std::vector<double> medians(values.size()), around;
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    around.clear();
    for (std::ptrdiff_t k = i - reach; k <= i + reach; ++k) {
      const std::ptrdiff_t mirrored = k < 0 ? -k : (k >= size ? 2 * size - 2 - k : k);
      around.push_back(
          values[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(mirrored, 0, size - 1))]);
    }
    const auto middle = around.begin() + reach;
    std::nth_element(around.begin(), middle, around.end());
    medians[static_cast<std::size_t>(i)] = *middle;
  }
  return medians;
}

std::vector<Peak> find_peaks(const Curve& curve, double reach_s, double median_reach_s,
                             double prominence) {
  const auto size = static_cast<std::ptrdiff_t>(curve.size());
  const auto reach = static_cast<std::ptrdiff_t>(std::lround(reach_s / Curve::kStep));
  const std::vector<double> medians = running_median(
      curve.values, static_cast<std::ptrdiff_t>(std::lround(median_reach_s / Curve::kStep)));
  const auto at = [&](std::ptrdiff_t i) { return curve.values[static_cast<std::size_t>(i)]; };
  std::vector<Peak> peaks;
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    const double height = at(i) - medians[static_cast<std::size_t>(i)];
    if (height <= prominence) continue;
    bool largest = true;
    for (std::ptrdiff_t k = std::max<std::ptrdiff_t>(0, i - reach);
         largest && k <= std::min(size - 1, i + reach); ++k)
      largest = k < i ? at(k) < at(i) : at(k) <= at(i);
    if (!largest) continue;
    const double left = at(std::max<std::ptrdiff_t>(0, i - 1));
    const double right = at(std::min(size - 1, i + 1));
    const double bend = left - 2 * at(i) + right;
    const double shift = bend < 0 ? std::clamp(0.5 * (left - right) / bend, -1.0, 1.0) : 0.0;
    peaks.push_back(
        {static_cast<std::size_t>(i), curve.time_of(static_cast<double>(i) + shift), height});
  }
  return peaks;
}

}  // namespace qingyin
