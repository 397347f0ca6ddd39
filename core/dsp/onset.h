#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/time.h"

namespace qingyin {

struct OnsetSettings {
  double threshold_db = 5.0;  // rise of the spectral flux over its running median
  Seconds min_gap{0.06};
};

/// Onsets of a mono signal: peaks of the band-wise level flux, each moved to the foot of its attack
/// (last 2 ms step below 15 % of the attack's peak). A sound that is already on at 0 is no onset.
std::vector<Seconds> find_onsets(std::span<const float> mono, int sample_rate_hz,
                                 const OnsetSettings& settings = {});

/// Where a single sound begins, to 1 ms: the first point after which the 2 ms peak envelope stays
/// above `fraction` of the attack's maximum level. None if the signal is silent (below -80 dBFS).
std::optional<Seconds> sound_start(std::span<const float> mono, int sample_rate_hz,
                                   double fraction = 0.15);

}  // namespace qingyin
