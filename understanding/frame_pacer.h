#pragma once

#include <vector>

#include "understanding/frame_sieve.h"

namespace qingyin {

/// Gives frames of a clip that was stored at a higher rate their even spacing back.
///
/// 25 frames per second stored as 30 show every fifth picture twice; once the repeats are dropped,
/// the rest stands at wrong times by up to a frame, and a steady motion seems to jerk. Between two
/// dropped repeats that are at most some frames apart the times are spread evenly.
class FramePacer {
 public:
  /// Takes the sieve's next frame; returns those whose time is settled, in order.
  std::vector<GreyFrame> push(GreyFrame frame);
  std::vector<GreyFrame> finish();

 private:
  std::vector<GreyFrame> held_;  // from the last frame after a repeat on
};

}  // namespace qingyin
