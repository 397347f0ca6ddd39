#include <algorithm>
#include <cmath>

#include "training/synthesis/layers.h"
#include "training/synthesis/modes.h"

namespace qingyin::training {
namespace {

/// Clothes that fold and brush: two bands of noise under an unsteady envelope.
void add_cloth(Layer& layer, double at, double gain, double length_s) {
  Random& random = layer.random;
  const double centre =
      layer.by_size(3200, 1300) * (0.6 + 0.7 * layer.intensity()) * random.range(0.85, 1.2);
  const auto first = static_cast<std::size_t>(at);
  const auto length = static_cast<std::size_t>(6 * length_s * kRate);
  const std::size_t last = std::min(layer.out.size(), first + length);
  if (first >= last) return;
  const Signal folds = smooth_noise(last - first, 0.02, random);
  StateVariable low(centre, 0.7), high(2.4 * centre, 0.8);
  const double keep = std::exp(-1 / (length_s * kRate)), rise = 1 / (0.006 * kRate);
  double down = 1, up = 0;
  for (std::size_t i = first; i < last; ++i) {
    const double noise = random.noise();
    low.step(noise);
    high.step(noise);
    up = std::min(1.0, up + rise);
    down *= keep;
    layer.out[i] +=
        gain * up * down * std::exp(0.8 * folds[i - first]) * (low.band() + 0.5 * high.band());
  }
}

/// One part of a body meets the floor: its mass, the floor's answer, the slap, the clothes.
void add_landing(Layer& layer, double at, double gain, const std::vector<Mode>& floor) {
  Random& random = layer.random;
  const double weight = 0.25 + 1.1 * layer.size();
  const double force = layer.intensity();
  const double thump = layer.by_size(140, 52) * random.range(0.85, 1.2);
  add_blow(layer.out, at, gain * weight,
           {{thump, random.range(24, 45), 1.0},
            {thump * 1.8, random.range(40, 70), 0.6},
            {thump * 3.1, random.range(60, 110), 0.35}},
           0.0015, random);
  add_blow(layer.out, at, 0.12 * gain * random.range(0.5, 1.2), floor, 0.004 - 0.0025 * force,
           random);
  add_noise_burst(layer.out, at, gain * (0.25 + 0.7 * force), layer.by_size(750, 330), 0.6, 0.001,
                  random.range(0.01, 0.03), random);
  const double length_s = random.range(0.04, 0.11);
  add_cloth(layer, at, gain * random.range(0.1, 0.25) * (0.6 + 0.5 * force), length_s);
}

}  // namespace

void add_fall(Layer& layer) {
  Random& random = layer.random;
  const double damping = random.range(1.5, 3.0);
  const auto floor = draw_modes(random.chance(0.5) ? kWood : kNone, 0.8, damping, random);
  add_landing(layer, 0, 1.0, floor);
  // Knees, trunk, arms: the larger the body, the more there is to come down.
  const int more = random.integer(0, 1) + static_cast<int>(2.5 * layer.size());
  double t = 0, gain = random.range(0.4, 0.75);
  for (int i = 0; i < more; ++i) {
    t += layer.by_size(0.045, 0.13) * random.range(0.5, 1.6) * kRate;
    add_landing(layer, t, gain, floor);
    gain *= random.range(0.45, 0.8);
  }
  const double length_s = random.range(0.08, 0.2), rustle = random.range(0.04, 0.1);
  add_cloth(layer, 0.6 * t + random.range(0.02, 0.08) * kRate, rustle, length_s);
}

}  // namespace qingyin::training
