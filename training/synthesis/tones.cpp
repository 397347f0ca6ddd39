#include "training/synthesis/tones.h"

#include <algorithm>
#include <cmath>

namespace qingyin::training {

void add_tone(Signal& out, double at, double gain, const Tone& tone) {
  constexpr std::size_t kStep = 16;
  const auto first = static_cast<std::size_t>(std::max(0.0, at));
  const auto length = static_cast<std::size_t>(10.4 / tone.decay_per_s * kRate);
  const std::size_t last = std::min(out.size(), first + length);
  const double keep = std::exp(-tone.decay_per_s / kRate);
  const double rise = 1.0 / std::max(1.0, tone.rise_s * kRate);
  double amplitude = gain, up = 0, c = 1, s = 0;
  for (std::size_t i = first; i < last; i += kStep) {
    const double t = static_cast<double>(i - first) / kRate;
    const double u = std::min(1.0, t / tone.glide_s);
    const double hz = tone.start_hz * std::pow(tone.end_hz / tone.start_hz, u);
    const double omega = 2 * kPi * std::min(hz, 18000.0) / kRate;
    const double turn_c = std::cos(omega), turn_s = std::sin(omega);
    const std::size_t stop = std::min(last, i + kStep);
    for (std::size_t k = i; k < stop; ++k) {
      up = std::min(1.0, up + rise);
      out[k] += up * amplitude * s;
      const double next = c * turn_c - s * turn_s;
      s = c * turn_s + s * turn_c;
      c = next;
      amplitude *= keep;
    }
  }
}

Tone bubble_tone(double radius_m, double rise) {
  const double hz = 3.0 / radius_m;
  const double decay = 0.13 / radius_m + 0.0072 * std::pow(radius_m, -1.5);
  return {hz, hz * (1 + 5 * rise), 5 / decay, decay, 0.0003};
}

}  // namespace qingyin::training
