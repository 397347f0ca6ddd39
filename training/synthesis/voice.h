#pragma once

#include <array>
#include <functional>

#include "training/synthesis/filters.h"

namespace qingyin::training {

/// Where a voice is at one moment.
struct VoiceState {
  double pitch_hz;
  double level;                      // 0 to 1
  std::array<double, 4> formant_hz;  // resonances of the tract
  std::array<double, 4> formant_gain;
  double breath;  // noise of the air, against 1 for the folds
};

struct VoiceTraits {
  double closing;  // 0.1 pressed to 0.5 breathy: share of the period in which the folds close
  double jitter;   // unsteadiness of single periods, 0.01 smooth to 0.2 hoarse
  double q;        // of the tract
  double rate_hz = kRate;  // samples per second of the result
};

/// Source and filter: pulses of air through vibrating folds (Rosenberg, "Effect of glottal pulse
/// shape on the quality of natural vowels", JASA 49, 1971) through the resonances of a tract (Fant,
/// "Acoustic theory of speech production", 1960).
/// @param at  the state at a time in s from the voice's beginning
Signal sing(std::size_t length, const VoiceTraits& traits,
            const std::function<VoiceState(double)>& at, Random& random);

}  // namespace qingyin::training
