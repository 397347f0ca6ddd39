#pragma once

#include <span>
#include <vector>

#include "understanding/curve.h"
#include "understanding/motion_sample.h"

namespace qingyin {

/// The picture leads the sound: motion that ends in a strike is seen to stop about 60 ms before
/// the strike is heard, a start from rest about 10 ms before.
inline constexpr double kStopLag = 0.06;
inline constexpr double kStartLag = 0.01;

/// How much the downward motion of each cell ends between two samples.
std::array<double, kCells> stopping(const MotionSample& before, const MotionSample& after);

/// What speaks for an event, over one window of one shot. Curves are on the clock of the sound
/// (the lags are in them) except `level`, which is on the picture's.
struct Evidence {
  std::vector<double> stop_at;  // [samples] root mean square of `stopping` at the sample's begin
  Curve stops;                  // the same over time, smoothed
  Curve starts;                 // sudden growth of the change, smoothed
  Curve level;                  // the change itself, grey levels per second
  double start_share = 0;       // [0, 1], how much starts count against stops
  Curve mixed;                  // the larger of the two, each by its share and its own high values
};

/// @param samples  at least two, in order of time, gapless
Evidence gather_evidence(std::span<const MotionSample> samples, double begin_s, double end_s);

}  // namespace qingyin
