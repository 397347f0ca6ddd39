#include "understanding/roll_view.h"

#include <algorithm>
#include <cmath>

namespace qingyin {
namespace {

constexpr double kReach = 0.1;  // seconds

const RollStep* surest(std::span<const RollStep> steps, double time_s) {
  const auto first = std::ranges::lower_bound(steps, time_s - kReach, {}, &RollStep::end_s);
  const RollStep* best = nullptr;
  for (auto step = first; step != steps.end() && step->start_s <= time_s + kReach; ++step)
    if (std::abs(step->onset_s - time_s) <= kReach &&
        (best == nullptr || step->onset > best->onset))
      best = &*step;
  return best;
}

}  // namespace

double seen_onset(std::span<const RollStep> steps, double time_s) {
  constexpr double kLeast = 0.002;
  if (steps.empty()) return 0;
  const RollStep* step = surest(steps, time_s);
  const double onset = std::clamp(step == nullptr ? 0.0 : step->onset, kLeast, 1 - kLeast);
  return std::log(onset / (1 - onset));
}

OnsetKind seen_kind(std::span<const RollStep> steps, double time_s) {
  constexpr double kSureOnset = 0.5;
  constexpr float kSureKind = 0.9F;
  const RollStep* step = surest(steps, time_s);
  if (step == nullptr || step->onset < kSureOnset) return OnsetKind::kImpact;
  const auto best = std::ranges::max_element(step->kinds);
  if (*best < kSureKind) return OnsetKind::kImpact;
  return static_cast<OnsetKind>(best - step->kinds.begin());
}

void LastingView::add(const RollStep& step) {
  const auto second = static_cast<std::size_t>(std::max(0.0, step.start_s));
  if (second >= seconds_.size()) seconds_.resize(second + 1);
  const auto long_s = static_cast<float>(step.end_s - step.start_s);
  for (std::size_t k = 0; k < kLastingKinds; ++k)
    seconds_[second].sums[k] += long_s * step.lasting[k];
  seconds_[second].heard_s += long_s;
}

std::optional<LastingKind> LastingView::sure_kind(double begin_s, double end_s) const {
  constexpr float kSure = 0.7F;  // mean over the time
  Second all;
  const auto from = static_cast<std::size_t>(std::max(0.0, begin_s));
  for (std::size_t i = from; i < seconds_.size() && static_cast<double>(i) < end_s; ++i) {
    for (std::size_t k = 0; k < kLastingKinds; ++k) all.sums[k] += seconds_[i].sums[k];
    all.heard_s += seconds_[i].heard_s;
  }
  const auto best = std::ranges::max_element(all.sums);
  if (all.heard_s <= 0 || *best < kSure * all.heard_s) return std::nullopt;
  return static_cast<LastingKind>(best - all.sums.begin());
}

}  // namespace qingyin
