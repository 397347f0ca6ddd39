#include <algorithm>
#include <cmath>

#include "training/synthesis/contact_layers.h"
#include "training/synthesis/layers.h"

namespace qingyin::training {
namespace {

/// Friedlander's wave: a jump and a decay through zero; then its copies from the ground around.
void add_blast(Layer& layer, double gain) {
  Random& random = layer.random;
  const double positive_s = layer.by_size(0.0018, 0.013) * random.log_range(0.8, 1.25);
  const int copies = random.integer(0, 3);
  double at = 0;
  for (int copy = 0; copy <= copies; ++copy) {
    const auto first = static_cast<std::size_t>(at * kRate);
    const std::size_t last =
        std::min(layer.out.size(), first + static_cast<std::size_t>(8 * positive_s * kRate));
    for (std::size_t i = first; i < last; ++i) {
      const double t = static_cast<double>(i - first) / (positive_s * kRate);
      layer.out[i] += gain * (1 - t) * std::exp(-t);
    }
    at += random.range(0.004, 0.05);
    gain *= random.range(0.2, 0.6);
  }
}

/// The fireball: turbulence whose cutoff falls as it grows, torn by its own eddies.
Signal rumble(Layer& layer, double cutoff) {
  Random& random = layer.random;
  const double lasting_s = layer.by_size(0.16, 0.6) * random.log_range(0.75, 1.4);
  const double fall = random.range(1.0, 2.0), tear = random.range(0.3, 0.8);
  OnePole first(cutoff), second(cutoff);
  const Signal swell = smooth_noise(layer.out.size(), random.range(0.04, 0.09), random);
  Signal out(layer.out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / (lasting_s * kRate);
    if (i % 64 == 0) {
      const double now = cutoff * (0.15 + std::exp(-fall * t));
      first.set(now);
      second.set(2.5 * now);
    }
    const double level = std::exp(-t) * (1 - std::exp(-40 * t)) * std::exp(tear * swell[i]);
    out[i] = level * second.low(first.low(random.noise()));
  }
  return out;
}

}  // namespace

void add_explosion(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  add_blast(layer, 3.0);
  // The crack: shock fronts that steepen, louder and brighter the stronger.
  const double crack_hz = layer.by_size(2200, 600) * (0.6 + 0.8 * layer.intensity());
  const double crack_s = layer.by_size(0.015, 0.07) * random.log_range(0.75, 1.35);
  add_noise_burst(out, 0, 0.8 + 1.4 * layer.intensity(), crack_hz, 0.4, 0.0002, crack_s, random);
  const double cutoff = layer.by_size(620, 150) * (0.7 + 0.6 * layer.intensity());
  const double body = random.range(0.8, 1.6) * 12 * std::sqrt(200.0 / cutoff);
  mix(out, rumble(layer, cutoff), body);
  const double drive = random.range(0.6, 1.2);
  for (double& x : out) x = std::tanh(drive * x);
  if (!random.chance(0.65)) return;
  Debris fall{};
  fall.at = random.range(0.08, 0.3) * kRate;
  fall.gain = random.range(0.05, 0.25);
  fall.rate_per_s = random.log_range(40, 220);
  fall.decay_s = random.range(0.15, 0.5);
  fall.centre_hz = random.log_range(700, 3200);
  fall.q = 1.6;
  fall.grain_s = random.log_range(0.002, 0.007);
  add_debris(out, fall, random);
}

}  // namespace qingyin::training
