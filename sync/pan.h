#pragma once

#include "core/events.h"

namespace qingyin {

/// Left and right factors of a mono sound.
struct StereoGains {
  float left;
  float right;
};

/// Constant-power law: the squares sum to 1, the middle is -3 dB on both sides. The sides differ in
/// level only, so a mono downmix cancels nothing. `pan` is clamped to [-1, 1].
StereoGains pan_gains(double pan);

/// `event.pan`, else 0.6 times its place in the picture (a screen is narrower than the room), else
/// the middle.
double pan_of(const SoundEvent& event);

}  // namespace qingyin
