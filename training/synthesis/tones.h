#pragma once

#include "training/synthesis/filters.h"

namespace qingyin::training {

/// A sine whose pitch glides while it dies out.
struct Tone {
  double start_hz, end_hz;  // at the beginning, and after `glide_s` and for ever after
  double glide_s;
  double decay_per_s;
  double rise_s = 0.0005;
};

/// Adds a tone from sample `at` on until it is 90 dB down. Pitches above 18 kHz stay there.
void add_tone(Signal& out, double at, double gain, const Tone& tone);

/// A vibrating bubble that rises: Minnaert's pitch 3 / radius (in Hz and metres), its radiation
/// and heat loss. Source: van den Doel, "Physically based models for liquid sounds", ACM TAP 2(4),
/// 2005.
Tone bubble_tone(double radius_m, double rise);

}  // namespace qingyin::training
