#include <algorithm>
#include <array>
#include <cmath>

#include "training/synthesis/layers.h"

namespace qingyin::training {
namespace {

/// Wind around an edge sheds vortices at a rate in proportion to its speed (Strouhal: 0.2 times
/// speed over width), and only when it is fast enough.
struct Whistle {
  double pitch_hz, gain, threshold;
  StateVariable band;

  double step(double noise, double speed, bool retune) {
    if (retune) band.set(pitch_hz * speed, 22);
    band.step(noise);
    return gain * std::max(0.0, speed - threshold) * band.band();
  }
};

std::vector<Whistle> draw_whistles(double centre_hz, Random& random) {
  std::vector<Whistle> whistles;
  const int count = random.chance(0.45) ? random.integer(1, 3) : 0;
  for (int i = 0; i < count; ++i) {
    const double pitch = centre_hz * random.range(1.6, 3.6);
    const double gain = random.range(0.6, 2.0), threshold = random.range(0.3, 0.9);
    whistles.push_back({pitch, gain, threshold, StateVariable(pitch, 22)});
  }
  return whistles;
}

}  // namespace

void add_wind(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const double centre = layer.by_size(750, 180) * random.log_range(0.8, 1.25);
  const double gustiness = random.range(0.25, 0.75);
  const Signal slow = smooth_noise(out.size(), random.range(0.5, 1.1), random);
  const Signal fast = smooth_noise(out.size(), 0.11, random);
  auto whistles = draw_whistles(centre, random);
  // Leaves and grass answer later than the trunk of the wind, and only its stronger part.
  const double leaves = random.chance(0.5) ? random.range(0.05, 0.3) * layer.intensity() : 0.0;
  const double leaf_hz = random.log_range(2500, 5500);
  StateVariable body(centre, 0.5), foliage(leaf_hz, 0.6);
  OnePole rumble(90), soften(4 * centre + 1500 * layer.intensity()), lag(1.5);
  const double deep = random.range(0.3, 0.8);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double speed = std::exp(gustiness * slow[i] + 0.2 * gustiness * fast[i]);
    const bool retune = i % 32 == 0;
    if (retune) body.set(centre * (0.6 + 0.5 * layer.intensity()) * speed, 0.5);
    const double noise = random.noise();
    body.step(noise);
    double x = body.band() + deep * rumble.low(noise);
    for (Whistle& whistle : whistles) x += whistle.step(noise, speed, retune);
    x = soften.low(x);
    if (leaves > 0) {
      foliage.step(random.noise());
      const double shaken = lag.low(speed);
      x += leaves * shaken * foliage.band();
    }
    out[i] += x * speed * speed;
  }
}

namespace {

/// Wood cracks: Poisson bursts of very uneven strength, some followed by a shower of small ones,
/// the stronger the longer and lower.
void add_crackle(Layer& layer, double rate) {
  Random& random = layer.random;
  double t = random.range(0, 0.03) * kRate;
  while (t < static_cast<double>(layer.out.size())) {
    const double strength = std::exp(1.1 * random.noise());
    const double centre =
        layer.by_size(5500, 1800) * random.log_range(0.4, 1.8) / std::pow(strength, 0.15);
    const double q = random.range(0.7, 2.5);
    const double decay = random.log_range(0.0007, 0.005) * std::pow(strength, 0.25);
    add_noise_burst(layer.out, t, 2.0 * strength, centre, q, 0.0001, decay, random);
    const int shower = random.chance(0.25) ? random.integer(2, 7) : 0;
    for (int i = 0; i < shower; ++i) {
      const double at = t + random.range(0.002, 0.06) * kRate;
      const double part = random.range(0.1, 0.6), pitch = centre * random.log_range(0.7, 1.8);
      const double short_s = random.log_range(0.0005, 0.002);
      add_noise_burst(layer.out, at, part * strength, pitch, 1.5, 0.0001, short_s, random);
    }
    t += random.exponential() * kRate / rate;
  }
}

/// A log pops: gas tears the wood, and the wood knocks.
void add_pops(Layer& layer, double rate) {
  Random& random = layer.random;
  const double log_hz = layer.by_size(900, 260);
  double t = random.exponential() * kRate / rate;
  while (t < static_cast<double>(layer.out.size())) {
    const double strength = random.range(2.0, 6.0);
    const double knock_hz = log_hz * random.log_range(0.7, 1.6);
    add_noise_burst(layer.out, t, strength, 2.5 * knock_hz, 0.7, 0.0001, 0.003, random);
    add_noise_burst(layer.out, t, 0.6 * strength, knock_hz, 6, 0.0002, 0.012, random);
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
    const double flaring = std::exp(1.1 * flame[i] + 0.3 * breath[i]);
    out[i] += lapping * lap2.low(lap1.low(noise)) * flaring +
              hissing * hiss.high(noise) * std::exp(0.8 * breath[i]);
  }
  add_crackle(layer, (6 + 26 * layer.intensity()) * random.log_range(0.7, 1.4));
  add_pops(layer, 0.3 + 2.0 * layer.intensity() * random.uniform());
}

void add_whoosh(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const std::size_t extent = layer.extent();
  // Sound of vortices grows with the third power of the speed (dipoles; Curle 1955).
  const double peak = random.range(0.4, 0.65), power = random.range(1.8, 3.2);
  const double low = layer.by_size(450, 130) * random.log_range(0.8, 1.25);
  const double high = low * (3.0 + 5.0 * layer.intensity());
  const double q = random.range(0.8, 2.2), edge_gain = random.range(0, 0.35);
  StateVariable sweep(low, q), edge(high, 5);
  OnePole air(1500), thick(0.8 * low);
  const Signal eddies = smooth_noise(out.size(), random.log_range(0.012, 0.04), random);
  // Cloth and rope flutter, sticks do not.
  const double flutter_hz = layer.by_size(70, 22), flutter = std::max(0.0, random.range(-0.5, 0.5));
  const double heavy = random.range(0.3, 1.2) * layer.size();
  double phase = 0;
  for (std::size_t i = 0; i < extent; ++i) {
    const double u = (static_cast<double>(i) + 1) / static_cast<double>(extent);
    const double arm = u < peak ? u / peak : (1 - u) / (1 - peak);
    const double speed = 0.5 - 0.5 * std::cos(kPi * arm);
    if (i % 16 == 0) {
      // The pitch falls as it passes: Doppler's shift with the change of the vortices' rate.
      const double centre = (low + (high - low) * speed) * (u < peak ? 1.0 : 0.88);
      sweep.set(centre, q);
      edge.set(2.2 * centre, 5);
    }
    phase += flutter_hz * (0.4 + speed) / kRate;
    const double noise = random.noise();
    sweep.step(noise);
    edge.step(noise);
    const double beat = 1 + 0.25 * eddies[i] + flutter * std::sin(2 * kPi * phase);
    const double x = sweep.band() + edge_gain * edge.band() + heavy * thick.low(noise) +
                     0.05 * speed * air.high(noise);
    out[i] += std::pow(speed, power) * beat * x;
  }
}

}  // namespace qingyin::training
