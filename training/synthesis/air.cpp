#include <algorithm>
#include <array>
#include <cmath>

#include "training/synthesis/layers.h"

namespace qingyin::training {

void add_wind(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const double centre = layer.by_size(750, 180) * random.range(0.8, 1.25);
  const double gustiness = random.range(0.3, 0.8);
  const Signal slow = smooth_noise(out.size(), random.range(0.5, 1.1), random);
  const Signal fast = smooth_noise(out.size(), 0.11, random);
  // Wind around an edge sheds vortices at a rate in proportion to its speed (Strouhal).
  const bool whistles = random.chance(0.4);
  const double whistle_hz = centre * random.range(1.8, 3.5), whistle = random.range(0.5, 1.6);
  StateVariable body(centre, 0.5), howl(whistle_hz, 25);
  OnePole rumble(90), soften(4 * centre + 1500 * layer.intensity());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double speed = std::exp(gustiness * slow[i] + 0.2 * gustiness * fast[i]);
    if (i % 32 == 0) {
      body.set(centre * (0.6 + 0.5 * layer.intensity()) * speed, 0.5);
      howl.set(whistle_hz * speed, 25);
    }
    const double noise = random.noise();
    body.step(noise);
    double x = body.band() + 0.5 * rumble.low(noise);
    if (whistles) {
      howl.step(noise);
      x += whistle * howl.band() * speed;
    }
    out[i] += soften.low(x) * speed * speed;
  }
}

namespace {

/// Wood cracks: Poisson bursts of very uneven strength, some followed by a shower of small ones.
void add_crackle(Layer& layer, double rate) {
  Random& random = layer.random;
  double t = random.range(0, 0.03) * kRate;
  while (t < static_cast<double>(layer.out.size())) {
    const double strength = std::exp(1.1 * random.noise());
    const double centre = layer.by_size(5500, 1800) * random.log_range(0.4, 1.8);
    add_noise_burst(layer.out, t, 2.0 * strength, centre, random.range(0.7, 2.5), 0.0001,
                    random.log_range(0.0008, 0.007), random);
    if (random.chance(0.25)) {
      for (int i = random.integer(2, 7); i > 0; --i) {
        add_noise_burst(layer.out, t + random.range(0.002, 0.06) * kRate,
                        strength * random.range(0.1, 0.6), centre * random.log_range(0.7, 1.8), 1.5,
                        0.0001, random.log_range(0.0005, 0.002), random);
      }
    }
    t += random.exponential() * kRate / rate;
  }
}

}  // namespace

void add_fire(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  OnePole lap1(layer.by_size(220, 90)), lap2(layer.by_size(320, 140)), hiss(2500);
  const Signal flame = smooth_noise(out.size(), random.range(0.07, 0.16), random);
  const Signal breath = smooth_noise(out.size(), 0.5, random);
  const double hissing = random.range(0.02, 0.08);
  const double lapping = random.range(1.2, 2.8) * (0.4 + layer.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double noise = random.noise();
    out[i] += lapping * lap2.low(lap1.low(noise)) * std::exp(1.1 * flame[i] + 0.3 * breath[i]) +
              hissing * hiss.high(noise) * std::exp(0.8 * breath[i]);
  }
  add_crackle(layer, (6 + 26 * layer.intensity()) * random.range(0.7, 1.4));
}

namespace {

/// What exhaust, block and panels make of the firing.
Signal resonate(Layer& layer) {
  Random& random = layer.random;
  const Signal& out = layer.out;
  Signal body(out.size(), 0.0);
  double resonance = layer.by_size(260, 75) * random.range(0.8, 1.25);
  for (int k = 0; k < 6; ++k) {
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

}  // namespace

void add_engine(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const double firing_hz =
      layer.by_size(120, 26) * (0.7 + 0.8 * layer.intensity()) * random.range(0.85, 1.18);
  const int cylinders = layer.size() < 0.3 ? random.integer(1, 2) : random.integer(3, 8);
  std::array<double, 8> strength{};
  for (double& s : strength) s = random.range(0.75, 1.2);
  const Signal drift = smooth_noise(out.size(), 0.4, random);
  const double jitter = random.range(0.01, 0.035), rough = random.range(0.15, 0.5);
  const double pulse_decay = std::exp(-firing_hz * random.range(5, 11) / kRate);
  OnePole open(600 + 3800 * layer.intensity());
  double phase = 1, pulse = 0, target = 1;
  int cylinder = 0;
  for (double& x : out) {
    const auto i = static_cast<std::size_t>(&x - out.data());
    phase += firing_hz * (1 + 0.03 * drift[i]) / kRate;
    if (phase >= target) {
      phase -= target;
      target = 1 + jitter * random.noise();
      pulse += strength[static_cast<std::size_t>(cylinder++ % cylinders)];
    }
    pulse *= pulse_decay;
    x = open.low(pulse * (1 + rough * random.noise()) + 0.02 * random.noise());
  }
  Signal body = resonate(layer);
  normalise(body, 0.5 + 0.5 * layer.intensity());
  mix(body, out, 0.1);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::tanh(body[i]);
}

void add_whoosh(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const std::size_t extent = layer.extent();
  const double peak = random.range(0.4, 0.65), sharp = random.range(1.5, 3.0);
  const double low = layer.by_size(450, 130) * random.range(0.8, 1.25);
  const double high = low * (3.0 + 5.0 * layer.intensity());
  const double q = random.range(0.9, 2.2);
  StateVariable sweep(low, q), edge(high, 5);
  OnePole air(1500);
  const Signal flutter = smooth_noise(out.size(), 0.03, random);
  const double edge_gain = random.range(0, 0.35);
  for (std::size_t i = 0; i < extent; ++i) {
    const double u = (static_cast<double>(i) + 1) / static_cast<double>(extent);
    const double arm = u < peak ? u / peak : (1 - u) / (1 - peak);
    const double speed = 0.5 - 0.5 * std::cos(kPi * arm);
    if (i % 16 == 0) {
      sweep.set(low + (high - low) * speed, q);
      edge.set(2.2 * (low + (high - low) * speed), 5);
    }
    const double noise = random.noise();
    sweep.step(noise);
    edge.step(noise);
    out[i] += std::pow(speed, sharp) * (1 + 0.2 * flutter[i]) *
              (sweep.band() + edge_gain * edge.band() + 0.05 * speed * air.high(noise));
  }
}

}  // namespace qingyin::training
