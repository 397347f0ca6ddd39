#include <algorithm>
#include <cmath>

#include "training/synthesis/layers.h"
#include "training/synthesis/modes.h"

namespace qingyin::training {
namespace {

/// How a sheet or heap crackles: many tiny buckles of very uneven strength, and friction between.
struct Crackle {
  double rate_per_s;    // of buckles while it is moved
  double centre_hz, q;  // of one buckle
  double short_s, long_s;
  double uneven;  // spread of their strength, nepers
  double friction, friction_hz;
};

/// Without a material: paper. Earth: dry leaves.
Crackle crackle_of(int material) {
  switch (material) {
    case kPlastic:
      return {300, 5200, 2.2, 0.0003, 0.0024, 1.5, 0.1, 6500};
    case kCloth:
      return {50, 1900, 0.7, 0.004, 0.016, 0.5, 1.0, 1500};
    case kEarth:
      return {160, 3900, 1.2, 0.0008, 0.005, 1.2, 0.22, 3600};
    default:
      return {250, 3100, 0.8, 0.0004, 0.003, 1.2, 0.3, 2600};
  }
}

/// Strength of the handling: grips of 80 to 300 ms with rests between, all within 20 dB.
Signal handling(std::size_t length, Random& random) {
  Signal hand = smooth_noise(length, random.range(0.07, 0.16), random);
  const Signal slow = smooth_noise(length, 0.4, random);
  for (std::size_t i = 0; i < length; ++i) hand[i] = std::exp(1.3 * hand[i] + 0.5 * slow[i]);
  return hand;
}

}  // namespace

void add_rustle(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const Crackle crackle = crackle_of(layer.recipe.material_id);
  const double force = layer.intensity();
  const double pitch = layer.by_size(1.45, 0.65) * (0.75 + 0.5 * force) * random.range(0.85, 1.18);
  const double rate = crackle.rate_per_s * (0.5 + force) * random.range(0.75, 1.35);
  const Signal hand = handling(out.size(), random);
  double t = 0;
  while (t < static_cast<double>(out.size())) {
    const double busy = hand[static_cast<std::size_t>(t)];
    const double strength = std::exp(crackle.uneven * std::min(2.0, random.noise()));
    const double centre = std::min(15000.0, crackle.centre_hz * pitch * random.log_range(0.5, 2.0));
    const double decay = random.log_range(crackle.short_s, crackle.long_s);
    const double q = crackle.q * random.range(0.7, 1.5);
    add_noise_burst(out, t, strength * std::sqrt(busy), centre, q, 0.0001, decay, random);
    t += random.exponential() * kRate / (rate * busy);
  }
  normalise(out);
  Signal friction(out.size());
  StateVariable band(crackle.friction_hz * pitch, 0.6);
  OnePole air(crackle.friction_hz * pitch * 0.5);
  for (std::size_t i = 0; i < friction.size(); ++i) {
    band.step(random.noise());
    friction[i] = air.high(band.band()) * hand[i];
  }
  normalise(friction);
  mix(out, friction, crackle.friction * random.range(0.7, 1.4));
}

}  // namespace qingyin::training
