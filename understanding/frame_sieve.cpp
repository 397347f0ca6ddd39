#include "understanding/frame_sieve.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace qingyin {
namespace {

constexpr std::size_t kReach = 5;  // differences on either side that a repeat is judged by
constexpr std::size_t kLookAhead = kReach + 1;  // a repeat also asks whether its neighbour is one
constexpr std::size_t kHistory = kReach + 1;
constexpr double kRepeatShare = 0.15;
constexpr double kRepeatFloor = 0.02;
constexpr double kCutJump = 25.5;  // grey levels
constexpr std::size_t kFlashFrames = 4;
constexpr double kComesBack = 0.5;  // of the jump: still that far away is not back

double mean_difference(const cv::Mat& a, const cv::Mat& b) {
  return cv::norm(a, b, cv::NORM_L1) / static_cast<double>(a.total());
}

}  // namespace

std::vector<GreyFrame> FrameSieve::push(cv::Mat picture, double time_s) {
  const double difference =
      entries_.empty() ? 0 : mean_difference(picture, entries_.back().frame.picture);
  entries_.push_back({{.picture = std::move(picture), .time_s = time_s}, difference});
  std::vector<GreyFrame> released;
  while (decided_ + kLookAhead < entries_.size()) release(released);
  return released;
}

std::vector<GreyFrame> FrameSieve::finish() {
  std::vector<GreyFrame> released;
  while (decided_ < entries_.size()) release(released);
  entries_.clear();
  decided_ = first_number_ = 0;
  carry_cut_ = dropped_ = false;
  return released;
}

void FrameSieve::release(std::vector<GreyFrame>& released) {
  const std::size_t index = decided_;
  const bool cut = starts_shot(index) || carry_cut_;
  carry_cut_ = false;
  const bool repeat = is_single_repeat(index);
  if (repeat) {
    carry_cut_ = cut;
  } else {
    entries_[index].frame.after_repeat = dropped_;
    entries_[index].frame.after_cut = cut;
    released.push_back(entries_[index].frame);
  }
  dropped_ = repeat;
  ++decided_;
  if (decided_ > kHistory) {
    entries_.pop_front();
    --decided_;
    ++first_number_;
  }
}

// entries_[0]'s difference is to a frame that is no longer held, but still a true difference,
// except for the very first frame of the clip.
bool FrameSieve::repeats(std::size_t index) const {
  const std::size_t first = first_number_ == 0 ? 1 : 0;
  if (index < first || index >= entries_.size()) return false;
  const double difference = entries_[index].difference;
  if (difference < kRepeatFloor) return true;
  std::vector<double> around;
  const std::size_t begin = index > first + kReach ? index - kReach : first;
  const std::size_t end = std::min(entries_.size(), index + kReach + 1);
  for (std::size_t i = begin; i < end; ++i)
    if (i != index) around.push_back(entries_[i].difference);
  if (around.empty()) return false;
  std::sort(around.begin(), around.end());
  const std::size_t half = around.size() / 2;
  const double median =
      around.size() % 2 == 1 ? around[half] : 0.5 * (around[half - 1] + around[half]);
  return difference < kRepeatShare * median;
}

bool FrameSieve::is_single_repeat(std::size_t index) const {
  return repeats(index) && !(index > 0 && repeats(index - 1)) && !repeats(index + 1);
}

bool FrameSieve::starts_shot(std::size_t index) const {
  if (index == 0) return false;
  const double jump = entries_[index].difference;
  const double before = entries_[index - 1].difference;
  if (std::min(jump, std::abs(jump - before)) < kCutJump) return false;
  const cv::Mat& last = entries_[index - 1].frame.picture;
  const cv::Mat& first = entries_[index].frame.picture;
  for (std::size_t k = 1; k <= kFlashFrames; ++k) {
    if (index + k < entries_.size() &&
        mean_difference(entries_[index + k].frame.picture, last) < kComesBack * jump)
      return false;
    if (index >= k + 1 &&
        mean_difference(entries_[index - 1 - k].frame.picture, first) < kComesBack * jump)
      return false;
  }
  return true;
}

}  // namespace qingyin
