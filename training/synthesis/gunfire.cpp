#include <algorithm>
#include <cmath>

#include "training/synthesis/layers.h"
#include "training/synthesis/modes.h"

namespace qingyin::training {
namespace {

/// Muzzle blast by Friedlander's wave, 0.3 to 1.4 ms of overpressure, and its later reflection.
void add_blast(Signal& out, double at, double gain, double positive_s) {
  const auto first = static_cast<std::size_t>(at);
  const auto length = static_cast<std::size_t>(9 * positive_s * kRate);
  for (std::size_t i = first; i < std::min(out.size(), first + length); ++i) {
    const double t = static_cast<double>(i - first) / (positive_s * kRate);
    out[i] += gain * (1 - t) * std::exp(-t);
  }
}

/// Slide or bolt: it runs back, stops, and comes forward again; then perhaps the empty case.
void add_action(Layer& layer) {
  Random& random = layer.random;
  const auto steel = draw_modes(kMetal, 0.2 + 0.3 * layer.size(), random.range(12, 25), random);
  double t = layer.by_size(0.022, 0.06) * random.range(0.8, 1.3) * kRate;
  for (int i = 0; i < 2; ++i) {
    const double gain = random.range(0.04, 0.11);
    add_blow(layer.out, t, 0.3 * gain, steel, 0.0002, random);
    add_noise_burst(layer.out, t, gain, random.range(2200, 4500), 1.0, 0.0002, 0.006, random);
    t += random.range(0.03, 0.07) * kRate;
  }
  if (!random.chance(0.3)) return;
  const auto brass = draw_modes(kMetal, 0.02, random.range(6, 14), random);
  t = random.range(0.38, 0.65) * kRate;
  double wait = random.range(0.06, 0.12), gain = random.range(0.008, 0.025);
  for (int i = random.integer(2, 4); i > 0; --i) {
    add_blow(layer.out, t, gain, brass, 0.00006, random);
    t += wait * kRate;
    wait *= 0.65;
    gain *= 0.6;
  }
}

/// Walls, hills and trees answer: single echoes that are duller the later, over a diffuse roll.
void add_echoes(Layer& layer, double positive_s) {
  Random& random = layer.random;
  const double open = random.uniform();  // 0: a yard, 1: a valley
  const double length_s = (0.09 + 0.2 * open) * layer.by_size(0.8, 1.3);
  const int count = random.integer(2, 6);
  for (int i = 0; i < count; ++i) {
    const double delay_s = random.range(0.03, 0.12 + 0.5 * open);
    const double gain = random.range(0.06, 0.22) * std::exp(-1.5 * delay_s);
    add_blast(layer.out, delay_s * kRate, gain, positive_s * (1.5 + 6 * delay_s));
    add_noise_burst(layer.out, delay_s * kRate, 0.7 * gain, 900 / (1 + 2.5 * delay_s), 0.5, 0.004,
                    0.03 + 0.06 * open, random);
  }
  const double cutoff = layer.by_size(2600, 1000) * (0.6 + 0.7 * layer.intensity());
  OnePole first(cutoff), second(cutoff), body(70);
  const Signal waver = smooth_noise(layer.out.size(), 0.03, random);
  const double gain = random.range(0.25, 0.6) * std::sqrt(2000 / cutoff);
  for (std::size_t i = 0; i < layer.out.size(); ++i) {
    const double t = static_cast<double>(i) / (length_s * kRate);
    if (t > 9) break;
    if (i % 64 == 0) {
      first.set(cutoff * (0.2 + std::exp(-1.2 * t)));
      second.set(1.6 * cutoff * (0.2 + std::exp(-1.2 * t)));
    }
    layer.out[i] += gain * (1 - std::exp(-60 * t)) * std::exp(-t) * (1 + 0.6 * waver[i]) *
                    body.high(second.low(first.low(random.noise())));
  }
}

}  // namespace

void add_gunshot(Layer& layer) {
  Random& random = layer.random;
  const double force = layer.intensity();
  const double positive_s =
      layer.by_size(0.00028, 0.0013) * (1.25 - 0.5 * force) * random.range(0.85, 1.2);
  add_blast(layer.out, 0, 3.0, positive_s);
  // The ground's reflection follows after 1 to 6 ms and joins the wave in the Mach stem.
  const double reflected = random.range(0.6, 1.4);
  add_blast(layer.out, random.range(0.001, 0.006) * kRate, reflected, positive_s * 1.3);
  // Turbulent gas behind the wave.
  const double gas_s = layer.by_size(0.006, 0.016) * random.range(0.8, 1.3);
  const double gas_hz = layer.by_size(3600, 1300) * (0.7 + 0.5 * force) * random.range(0.85, 1.2);
  add_noise_burst(layer.out, 0, 1.2 + 0.9 * force, gas_hz, 0.4, 0.0001, gas_s, random);
  add_noise_burst(layer.out, 0, 0.9, layer.by_size(420, 130), 0.7, 0.0005,
                  layer.by_size(0.015, 0.045), random);
  add_echoes(layer, positive_s);
  for (double& x : layer.out) x = std::tanh(0.9 * x);
  add_action(layer);
}

}  // namespace qingyin::training
