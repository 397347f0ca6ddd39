#include "sync/pan.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qingyin {

StereoGains pan_gains(double pan) {
  const double angle = (std::clamp(pan, -1.0, 1.0) + 1) * std::numbers::pi / 4;
  return {.left = static_cast<float>(std::cos(angle)),
          .right = static_cast<float>(std::sin(angle))};
}

double pan_of(const SoundEvent& event) {
  if (event.pan) return *event.pan;
  return event.position ? 0.6 * event.position->front() : 0.0;
}

}  // namespace qingyin
