#include <algorithm>
#include <array>
#include <cmath>

#include "training/synthesis/layers.h"

namespace qingyin::training {
namespace {

/// Speed of the crankshaft over its mean: it drifts, and may run up at the start and down at the
/// end.
Signal draw_speed(Layer& layer) {
  Random& random = layer.random;
  Signal speed = smooth_noise(layer.out.size(), 0.4, random);
  const double drift = random.range(0.01, 0.04);
  for (double& v : speed) v = 1 + drift * v;
  const bool starts = random.chance(0.4), stops = random.chance(0.5);
  const auto run_up = static_cast<std::size_t>(random.range(0.15, 0.45) * kRate);
  const auto run_down = static_cast<std::size_t>(random.range(0.25, 0.6) * kRate);
  const std::size_t extent = layer.extent();
  for (std::size_t i = 0; starts && i < std::min(run_up, speed.size()); ++i) {
    const double u = static_cast<double>(i) / static_cast<double>(run_up);
    speed[i] *= 0.45 + 0.55 * std::sin(0.5 * kPi * u);
  }
  if (!stops || extent >= speed.size() || extent < 2 * run_down) return speed;
  for (std::size_t i = extent - run_down; i < speed.size(); ++i) {
    const double u = static_cast<double>(i - extent + run_down) / static_cast<double>(run_down);
    speed[i] *= std::max(0.2, 1 - 0.75 * u);
  }
  return speed;
}

/// Firing pulses of the cylinders, none like its neighbour, each cycle a little early or late.
void add_firing(Layer& layer, const Signal& speed, double firing_hz) {
  Random& random = layer.random;
  const int cylinders = layer.size() < 0.3 ? random.integer(1, 2) : random.integer(3, 8);
  std::array<double, 8> strength{};
  const double spread = random.range(0.05, 0.3);
  for (double& s : strength) s = 1 + spread * random.range(-1.0, 1.0);
  const double jitter = random.range(0.005, 0.03), rough = random.range(0.15, 0.5);
  const double pulse_decay = std::exp(-firing_hz * random.range(5, 11) / kRate);
  OnePole open(600 + 3800 * layer.intensity());
  double phase = 1, pulse = 0, target = 1;
  int cylinder = 0;
  for (std::size_t i = 0; i < layer.out.size(); ++i) {
    phase += firing_hz * speed[i] / kRate;
    if (phase >= target) {
      phase -= target;
      target = 1 + jitter * random.noise();
      pulse += strength[static_cast<std::size_t>(cylinder++ % cylinders)] * speed[i];
    }
    pulse *= pulse_decay;
    const double gas = random.noise(), leak = random.noise();
    layer.out[i] = open.low(pulse * (1 + rough * gas) + 0.02 * leak);
  }
}

/// What exhaust, block and panels make of the firing.
Signal resonate(Layer& layer) {
  Random& random = layer.random;
  const Signal& out = layer.out;
  Signal body(out.size(), 0.0);
  double resonance = layer.by_size(260, 75) * random.log_range(0.8, 1.25);
  for (int k = 0; k < 5; ++k) {
    StateVariable band(resonance, random.range(1.5, 6));
    const double gain = random.range(0.5, 1.2) * std::pow(0.8, k);
    for (std::size_t i = 0; i < out.size(); ++i) {
      band.step(out[i]);
      body[i] += gain * band.band();
    }
    resonance *= random.range(1.5, 2.3);
  }
  return body;
}

/// Valves and injectors: faint ticks, two for each firing, on the metal of the head.
Signal clatter(Layer& layer, const Signal& speed, double firing_hz) {
  Random& random = layer.random;
  Signal ticks(layer.out.size(), 0.0);
  const double head_hz = layer.by_size(4200, 1800) * random.log_range(0.8, 1.25);
  double t = 0;
  while (t < static_cast<double>(ticks.size())) {
    const double now = firing_hz * speed[static_cast<std::size_t>(t)];
    const double gain = random.range(0.4, 1.0), pitch = head_hz * random.log_range(0.8, 1.25);
    add_noise_burst(ticks, t, gain, pitch, 3.0, 0.0001, 0.0009, random);
    t += kRate / (2 * now) * random.range(0.9, 1.1);
  }
  normalise(ticks);
  return ticks;
}

}  // namespace

void add_engine(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const double firing_hz =
      layer.by_size(120, 26) * (0.7 + 0.8 * layer.intensity()) * random.log_range(0.85, 1.18);
  const Signal speed = draw_speed(layer);
  add_firing(layer, speed, firing_hz);
  Signal body = resonate(layer);
  normalise(body, 0.5 + 0.5 * layer.intensity());
  mix(body, out, 0.1);
  // The intake draws breath between the pulses.
  const double intake = random.range(0.01, 0.05) * (0.4 + layer.intensity());
  StateVariable throat(layer.by_size(900, 380), 0.7);
  for (std::size_t i = 0; i < out.size(); ++i) {
    throat.step(random.noise());
    out[i] = std::tanh(body[i]) + intake * throat.band() * speed[i];
  }
  const double ticking = random.range(0.0, 0.05);
  mix(out, clatter(layer, speed, firing_hz), ticking);
}

}  // namespace qingyin::training
