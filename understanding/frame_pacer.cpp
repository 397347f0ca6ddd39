#include "understanding/frame_pacer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace qingyin {
namespace {

constexpr std::size_t kMostFrames = 12;  // between two repeats of one cadence

}  // namespace

std::vector<GreyFrame> FramePacer::push(GreyFrame frame) {
  std::vector<GreyFrame> settled;
  if (frame.after_cut) settled = finish();
  if (frame.after_repeat) {
    const double steps = static_cast<double>(held_.size());
    for (std::size_t i = 1; i < held_.size(); ++i) {
      const double share = static_cast<double>(i) / steps;
      held_[i].time_s = held_[0].time_s + share * (frame.time_s - held_[0].time_s);
    }
    std::ranges::move(finish(), std::back_inserter(settled));
    held_.push_back(std::move(frame));
    return settled;
  }
  if (held_.size() >= kMostFrames) std::ranges::move(finish(), std::back_inserter(settled));
  if (held_.empty())
    settled.push_back(std::move(frame));
  else
    held_.push_back(std::move(frame));
  return settled;
}

std::vector<GreyFrame> FramePacer::finish() { return std::exchange(held_, {}); }

}  // namespace qingyin
