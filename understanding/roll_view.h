#pragma once

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "understanding/event_roll.h"

namespace qingyin {

/// Log-odds of the network's surest onset within 0.1 s of a time, cut off where it is very sure;
/// 0 if there are no steps at all.
double seen_onset(std::span<const RollStep> steps, double time_s);

/// What the surest onset within 0.1 s of a time is called, if the network is sure of the onset and
/// of the name; else `kImpact`.
OnsetKind seen_kind(std::span<const RollStep> steps, double time_s);

/// Remembers what lasts, second by second.
class LastingView {
 public:
  void add(const RollStep& step);
  /// What goes on between two times, if the network is sure on the whole.
  std::optional<LastingKind> sure_kind(double begin_s, double end_s) const;

 private:
  struct Second {
    std::array<float, kLastingKinds> sums{};
    float heard_s = 0;
  };
  std::vector<Second> seconds_;
};

}  // namespace qingyin
