#pragma once

#include <optional>
#include <vector>

#include "understanding/event_picker.h"
#include "understanding/motion_sample.h"

namespace qingyin {

/// Turns a stream of motion into events, with memory that does not grow with the clip: statistics
/// are taken over a sliding window within the shot, so that a shot shorter than the window is
/// judged as a whole.
class ShotTracker {
 public:
  /// @param with_network  steps of a detector network come, too: nothing is decided without them
  explicit ShotTracker(double sensitivity, bool with_network = false)
      : sensitivity_(sensitivity), with_network_(with_network) {}

  /// The next sample of the running shot.
  void add(const MotionSample& sample);
  /// The next steps of the running shot.
  void add(std::vector<RollStep> steps);
  /// Ends the running shot at `end_s`: statistics of the next one start anew.
  void end_shot(double end_s);
  /// The events that are decided so far and were not taken yet, in order of time.
  std::vector<PickedEvent> take();

 private:
  void decide(double available_end_s, bool shot_is_over);
  void judge_block(double block_end_s, double available_end_s);

  double sensitivity_;
  bool with_network_;
  std::vector<MotionSample> samples_;
  std::vector<RollStep> steps_;
  std::optional<double> shot_begin_s_;
  double decided_to_s_ = 0;
  std::vector<PickedEvent> events_;
  double last_event_s_ = -1e9;
};

}  // namespace qingyin
