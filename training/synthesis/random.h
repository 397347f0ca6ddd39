#pragma once

#include <cmath>
#include <cstdint>

namespace qingyin::training {

/// Random numbers of one sound: SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom
/// number generators", OOPSLA 2014), a function of seed and counter alone.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }
  double range(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform on a logarithmic axis; both limits positive.
  double log_range(double low, double high) { return low * std::pow(high / low, uniform()); }
  bool chance(double probability) { return uniform() < probability; }
  int integer(int low, int high) { return low + static_cast<int>(uniform() * (high - low + 1)); }
  /// Unit-variance, zero-mean noise, nearly normal: the sum of four uniform 16-bit words.
  double noise() {
    const std::uint64_t b = bits();
    const auto sum =
        static_cast<double>((b & 0xFFFF) + ((b >> 16) & 0xFFFF) + ((b >> 32) & 0xFFFF) + (b >> 48));
    return (sum * 0x1.0p-16 - 2.0) * 1.7320508;
  }
  /// Waiting time of a Poisson process of unit rate.
  double exponential() { return -std::log(1.0 - uniform()); }
  /// An independent generator for one layer of the sound.
  Random fork() { return Random(bits()); }

 private:
  std::uint64_t state_;
};

}  // namespace qingyin::training
