#include "training/synthesis/contact_layers.h"

#include <algorithm>
#include <cmath>

namespace qingyin::training {

void add_transient(Signal& out, double at, double gain, double contact_s, Random& random) {
  const double centre = std::clamp(0.6 / contact_s, 90.0, 11000.0);
  const double decay = std::clamp(contact_s * random.range(1.2, 3.0), 0.0006, 0.03);
  add_noise_burst(out, at, gain, centre, 0.6, contact_s * 0.25, decay, random);
}

void add_thump(Signal& out, double at, double gain, double frequency_hz, double decay_per_s) {
  const auto first = static_cast<std::size_t>(std::max(0.0, at));
  const auto length = static_cast<std::size_t>(8.0 / decay_per_s * kRate);
  const std::size_t last = std::min(out.size(), first + length);
  const double keep = std::exp(-decay_per_s / kRate), sag = std::exp(-40.0 / kRate);
  double amplitude = gain, phase = 0, bend = 0.25;
  for (std::size_t i = first; i < last; ++i) {
    out[i] += amplitude * std::sin(phase);
    phase += 2 * kPi * frequency_hz * (1 + bend) / kRate;
    amplitude *= keep;
    bend *= sag;
  }
}

void add_debris(Signal& out, const Debris& debris, Random& random) {
  double t = debris.at;
  const double end =
      std::min(debris.at + 4 * debris.decay_s * kRate, static_cast<double>(out.size()));
  while (t < end) {
    const double energy = std::exp(-(t - debris.at) / (debris.decay_s * kRate));
    const double strength = random.uniform();
    const double centre = debris.centre_hz * random.log_range(0.5, 2.0);
    const double q = debris.q * random.log_range(0.6, 1.6);
    const double decay = debris.grain_s * random.log_range(0.4, 2.0);
    // Few pieces are large: most collisions are faint.
    const double gain = debris.gain * energy * (0.05 + strength * strength);
    add_noise_burst(out, t, gain, centre, q, 0.0001, decay, random);
    t += random.exponential() * kRate / (debris.rate_per_s * (0.15 + energy));
  }
}

void add_bounces(Signal& out, const Bounces& bounces, const std::vector<Mode>& modes,
                 double contact_s, Random& random) {
  double t = bounces.at, wait = bounces.wait_s, gain = bounces.gain;
  for (int i = 0; i < bounces.count && wait > 0.004; ++i) {
    t += wait * kRate;
    // Hertz: a slower blow is a longer, duller one.
    contact_s *= std::pow(bounces.restitution, -0.2);
    add_blow(out, t, gain, modes, contact_s, random);
    wait *= bounces.restitution;
    gain *= bounces.restitution;
  }
}

void add_chatter(Signal& out, double at, double gain, double rate_hz, double decay_s,
                 const std::vector<Mode>& modes, double contact_s, Random& random) {
  double t = at, rate = rate_hz;
  const double end = std::min(at + 3 * decay_s * kRate, static_cast<double>(out.size()));
  for (int i = 0; t < end && i < 12; ++i) {
    const double energy = std::exp(-(t - at) / (decay_s * kRate));
    const double strength = random.range(0.3, 1.0);
    add_blow(out, t, gain * energy * strength, modes, contact_s, random);
    rate *= 1.06;
    t += kRate / rate * random.range(0.7, 1.3);
  }
}

}  // namespace qingyin::training
