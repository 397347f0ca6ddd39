#pragma once

#include <vector>

#include "understanding/motion_sample.h"

namespace qingyin {

/// Motion that goes on: rolling, pouring, sliding.
struct SustainedMotion {
  double begin_s = 0, end_s = 0;
  double step_s = 0;           // spacing of `levels`
  std::vector<double> levels;  // [0, 1], the strongest is 1
  double strength = 0;         // grey levels per second, mean of the liveliest cells
  double x = 0, y = 0;         // right and up, [-1, 1]
  double travel = 0;           // how far the centre went, of half the picture's width
};

/// Finds stretches of some seconds in which a part of the picture keeps changing at an even pace.
/// Frames more than 0.25 s apart (a slide show, a time lapse) end one: they cannot show a pace.
/// Memory does not grow with the length of a stretch.
class SustainedFinder {
 public:
  void add(const MotionSample& sample);
  void end_shot();
  /// All stretches that are over.
  const std::vector<SustainedMotion>& found() const { return found_; }

 private:
  struct Stretch {
    SustainedMotion motion;
    double bin_sum = 0, bin_seconds = 0;
    double sum = 0, seconds = 0;
    double sum_x = 0, sum_y = 0;
    double first_x = 0, first_y = 0;
    bool running = false;
  };

  void extend(const MotionSample& sample, double strength);
  void close();

  Stretch stretch_;
  double fast_ = 0, slow_ = 0, heard_s_ = 0;  // running means of the strength, seconds in the shot
  std::vector<SustainedMotion> found_;
};

}  // namespace qingyin
