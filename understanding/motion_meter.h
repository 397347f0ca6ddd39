#pragma once

#include <memory>

#include "understanding/frame_sieve.h"
#include "understanding/motion_sample.h"

namespace qingyin {

/// Measures the motion between two grey pictures of one size: dense optical flow (DIS, medium
/// preset; Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) and the
/// difference of the blurred pictures after the camera's shift. Not thread-safe; one per thread.
class MotionMeter {
 public:
  MotionMeter();
  ~MotionMeter();

  MotionSample measure(const GreyFrame& before, const GreyFrame& after);

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

}  // namespace qingyin
