#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/philox.h"

namespace qingyin::training {

/// Random numbers in the order in which they are asked for.
class Draw {
 public:
  Draw(std::uint64_t seed, std::uint64_t stream) : random_(seed, stream) {}

  double between(double low, double high) { return low + (high - low) * random_.uniform(next_++); }
  /// Even on a logarithmic scale.
  double ratio(double low, double high) { return low * std::pow(high / low, between(0, 1)); }
  bool chance(double probability) { return between(0, 1) < probability; }
  int below(int count) { return std::min(count - 1, static_cast<int>(between(0, count))); }
  double sign() { return chance(0.5) ? 1 : -1; }

 private:
  Philox random_;
  std::uint64_t next_ = 0;
};

/// How a value goes from one point of a track to the next.
enum class Way {
  kHold,      // stays, then jumps
  kEven,      // at one speed
  kEase,      // starts and ends at rest
  kSpeedUp,   // from rest ever faster: a fall
  kSlowDown,  // fast at first, ends at rest: a throw
};

/// A value over time: held before the first and after the last point.
class Track {
 public:
  explicit Track(double value = 0) : first_(value) {}

  /// From where it stands at `from_s` to `value` at `to_s`. Calls are in order of time.
  Track& go(double from_s, double to_s, double value, Way way) {
    legs_.push_back({from_s, std::max(to_s, from_s + 1e-6), last(), value, way});
    return *this;
  }
  double last() const { return legs_.empty() ? first_ : legs_.back().to; }
  double end_s() const { return legs_.empty() ? 0 : legs_.back().end_s; }
  bool moves() const { return !legs_.empty(); }
  double at(double time_s) const;

 private:
  struct Leg {
    double begin_s, end_s, from, to;
    Way way;
  };

  double first_;
  std::vector<Leg> legs_;
};

}  // namespace qingyin::training
