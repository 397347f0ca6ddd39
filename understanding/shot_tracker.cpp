#include "understanding/shot_tracker.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace qingyin {
namespace {

constexpr double kWindow = 16;  // seconds that statistics are taken over
constexpr double kBlock = 4;    // seconds that are decided at once
constexpr double kLeastGap = 0.12;
constexpr double kRollReach = 0.25;  // the network's steps around an event have a say in it

}  // namespace

void ShotTracker::add(const MotionSample& sample) {
  if (!shot_begin_s_) shot_begin_s_ = decided_to_s_ = sample.start_s;
  samples_.push_back(sample);
  decide(sample.end_s, false);
}

void ShotTracker::add(std::vector<RollStep> steps) {
  std::ranges::move(steps, std::back_inserter(steps_));
  if (shot_begin_s_ && !steps.empty()) decide(samples_.back().end_s, false);
}

void ShotTracker::end_shot(double end_s) {
  if (shot_begin_s_) decide(std::max(end_s, samples_.back().end_s), true);
  samples_.clear();
  steps_.clear();
  shot_begin_s_.reset();
}

std::vector<PickedEvent> ShotTracker::take() { return std::exchange(events_, {}); }

// A block is decided once half a window follows its middle, or the shot is over.
void ShotTracker::decide(double available_end_s, bool shot_is_over) {
  while (decided_to_s_ < available_end_s) {
    const double block_end = decided_to_s_ + kBlock;
    const double window_end =
        std::max(*shot_begin_s_ + kWindow, decided_to_s_ + 0.5 * (kBlock + kWindow));
    if (!shot_is_over && available_end_s < window_end) return;
    const bool is_read = !steps_.empty() && steps_.back().end_s > block_end + kRollReach;
    if (with_network_ && !shot_is_over && !is_read) return;
    const bool all_of_it = shot_is_over && available_end_s < window_end;
    judge_block(all_of_it ? available_end_s : block_end, std::min(available_end_s, window_end));
    // A last block may lie a block further on and reach a window back from its end.
    const double needed = decided_to_s_ - kWindow;
    const auto keep = std::find_if(samples_.begin(), samples_.end(),
                                   [&](const MotionSample& s) { return s.end_s > needed; });
    if (shot_is_over) continue;
    samples_.erase(samples_.begin(), keep);
    std::erase_if(steps_, [&](const RollStep& s) { return s.end_s < needed; });
  }
}

void ShotTracker::judge_block(double block_end_s, double available_end_s) {
  const PickWindow window{.begin_s = std::max(*shot_begin_s_, available_end_s - kWindow),
                          .end_s = available_end_s,
                          .from_s = decided_to_s_,
                          .to_s = block_end_s};
  const auto inside = [&](const MotionSample& s) { return s.start_s >= window.begin_s - 1e-9; };
  const auto begin = std::find_if(samples_.begin(), samples_.end(), inside);
  const auto end = std::find_if(
      begin, samples_.end(), [&](const MotionSample& s) { return s.end_s > window.end_s + 1e-9; });
  for (PickedEvent& event :
       pick_events({begin, end}, window, sensitivity_, {with_network_, steps_})) {
    if (event.time_s < last_event_s_ + kLeastGap) continue;
    last_event_s_ = event.time_s;
    event.end_s = std::min(event.end_s, available_end_s);
    events_.push_back(event);
  }
  decided_to_s_ = block_end_s;
}

}  // namespace qingyin
