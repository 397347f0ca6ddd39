#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <span>
#include <vector>

namespace qingyin::test {

inline std::vector<float> sine(double hz, double amplitude, std::int64_t length,
                               int sample_rate_hz = 48000) {
  std::vector<float> x(static_cast<std::size_t>(length));
  for (std::size_t n = 0; n < x.size(); ++n)
    x[n] = static_cast<float>(
        amplitude * std::sin(2 * std::numbers::pi * hz * static_cast<double>(n) / sample_rate_hz));
  return x;
}

inline std::vector<float> noise(double rms, std::int64_t length, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(static_cast<std::size_t>(length));
  for (float& sample : x) sample = static_cast<float>(rms) * normal(generator);
  return x;
}

/// Interleaves the same signal twice.
inline std::vector<float> in_stereo(std::span<const float> mono) {
  std::vector<float> x;
  for (const float sample : mono) x.insert(x.end(), 2, sample);
  return x;
}

/// Adds noise of `rms` that decays with `decay_s`, from sample `at` on.
inline void add_burst(std::vector<float>& x, std::int64_t at, double rms, double decay_s,
                      unsigned seed, int sample_rate_hz = 48000) {
  const auto burst = noise(rms, static_cast<std::int64_t>(8 * decay_s * sample_rate_hz), seed);
  for (std::size_t n = 0; n < burst.size() && static_cast<std::size_t>(at) + n < x.size(); ++n)
    x[static_cast<std::size_t>(at) + n] +=
        burst[n] *
        static_cast<float>(std::exp(-static_cast<double>(n) / (decay_s * sample_rate_hz)));
}

}  // namespace qingyin::test
