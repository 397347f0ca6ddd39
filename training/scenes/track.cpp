#include "training/scenes/track.h"

namespace qingyin::training {

double Track::at(double time_s) const {
  const auto after = std::ranges::upper_bound(legs_, time_s, {}, &Leg::begin_s);
  if (after == legs_.begin()) return first_;
  const Leg& leg = *std::prev(after);
  const double done = std::clamp((time_s - leg.begin_s) / (leg.end_s - leg.begin_s), 0.0, 1.0);
  double share = done;
  switch (leg.way) {
    case Way::kHold:
      share = done < 1 ? 0 : 1;
      break;
    case Way::kEven:
      break;
    case Way::kEase:
      share = done * done * (3 - 2 * done);
      break;
    case Way::kSpeedUp:
      share = done * done;
      break;
    case Way::kSlowDown:
      share = done * (2 - done);
      break;
  }
  return leg.from + share * (leg.to - leg.from);
}

}  // namespace qingyin::training
