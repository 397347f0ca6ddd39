#include <algorithm>
#include <cmath>

#include "training/synthesis/layers.h"

namespace qingyin::training {
namespace {

/// One bubble under water: Minnaert's pitch 3 / r (in Hz and metres), its radiation and heat loss,
/// and the rise in pitch as it nears the surface.
/// Source: van den Doel, "Physically based models for liquid sounds", ACM TAP 2(4), 2005.
void add_bubble(Signal& out, double at, double gain, double radius_m, double rise) {
  const double f = 3.0 / radius_m;
  const double decay = 0.13 / radius_m + 0.0072 * std::pow(radius_m, -1.5);
  const auto first = static_cast<std::size_t>(std::max(0.0, at));
  const auto length = static_cast<std::size_t>(7.0 / decay * kRate);
  const std::size_t last = std::min(out.size(), first + length);
  const double keep = std::exp(-decay / kRate);
  constexpr std::size_t kStep = 16;
  double amplitude = gain, c = 1, s = 0;
  for (std::size_t i = first; i < last; i += kStep) {
    const double t = static_cast<double>(i - first) / kRate;
    const double omega = 2 * kPi * std::min(f * (1 + rise * decay * t), 15000.0) / kRate;
    const double turn_c = std::cos(omega), turn_s = std::sin(omega);
    const std::size_t stop = std::min(last, i + kStep);
    for (std::size_t k = i; k < stop; ++k) {
      out[k] += amplitude * s;
      const double next = c * turn_c - s * turn_s;
      s = c * turn_s + s * turn_c;
      c = next;
      amplitude *= keep;
    }
  }
}

/// Bubbles at Poisson times, their radii after a power law, louder when larger.
void add_bubble_stream(Signal& out, double rate_per_s, double small_m, double large_m,
                       double clumping, Random& random) {
  const Signal activity = smooth_noise(out.size(), 0.12, random);
  double t = 0;
  while (t < static_cast<double>(out.size())) {
    const double busy = std::exp(clumping * activity[static_cast<std::size_t>(t)]);
    const double u = random.uniform();
    const double radius = small_m * std::pow(large_m / small_m, u * std::sqrt(u));
    const double gain =
        std::pow(radius / large_m, 0.7) * (0.1 + random.uniform() * random.uniform());
    add_bubble(out, t, gain, radius, random.chance(0.3) ? random.range(0.05, 0.25) : 0.02);
    t += random.exponential() * kRate / (rate_per_s * busy);
  }
}

/// Steady hiss of countless small splashes.
Signal hiss(std::size_t length, double low_hz, double high_hz, double unrest, Random& random) {
  Signal out(length);
  OnePole low(low_hz), high(high_hz), high2(high_hz * 1.3);
  const Signal sway = smooth_noise(length, 0.15, random);
  for (std::size_t i = 0; i < length; ++i) {
    out[i] = high2.low(high.low(low.high(random.noise()))) * std::exp(unrest * sway[i]);
  }
  normalise(out);
  return out;
}

}  // namespace

void add_drop(Layer& layer) {
  Random& random = layer.random;
  const double radius = layer.by_size(0.0009, 0.006) * random.range(0.85, 1.2);
  const double splash = (0.1 + 0.5 * layer.intensity()) * random.range(0.5, 1.3);
  add_noise_burst(layer.out, 0, splash, layer.by_size(6000, 2200), 0.6, 0.0003,
                  layer.by_size(0.0015, 0.008), random);
  const double delay = layer.by_size(0.004, 0.022) * random.range(0.7, 1.3) * kRate;
  add_bubble(layer.out, delay, 1.0, radius, random.range(0.06, 0.2));
  const int more = random.integer(0, layer.size() > 0.5 ? 5 : 2);
  double t = delay;
  for (int i = 0; i < more; ++i) {
    t += random.range(0.01, 0.07) * kRate;
    add_bubble(layer.out, t, random.range(0.1, 0.5), radius * random.range(0.25, 0.8),
               random.range(0.02, 0.2));
  }
  if (layer.size() > 0.6) {  // A large drop throws up a crown whose droplets fall back.
    for (int i = 0; i < 12; ++i) {
      const double late = random.range(0.05, 0.28) * kRate;
      add_noise_burst(layer.out, late, splash * random.range(0.03, 0.15), random.range(2000, 7000),
                      1.0, 0.0003, 0.002, random);
    }
  }
}

void add_bubbles(Layer& layer) {
  Random& random = layer.random;
  const double large = layer.by_size(0.004, 0.016) * random.range(0.85, 1.2);
  const double rate = (8 + 45 * layer.intensity()) * random.range(0.7, 1.4);
  add_bubble(layer.out, 0, 0.5, large * random.range(0.4, 0.9), 0.1);
  add_bubble_stream(layer.out, rate, large * 0.25, large, 0.8, random);
}

void add_rain(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const double rate = 150 * std::pow(10.0, layer.intensity()) * random.range(0.7, 1.4);
  const double centre = layer.by_size(7500, 2800) * random.range(0.85, 1.2);
  double t = 0;
  while (t < static_cast<double>(out.size())) {
    const double energy = std::pow(random.uniform(), 4.0);
    add_noise_burst(out, t, 0.05 + energy, centre * random.log_range(0.5, 1.8),
                    random.range(0.7, 2.0), 0.0001, random.log_range(0.0004, 0.003), random);
    t += random.exponential() * kRate / rate;
  }
  normalise(out);
  if (random.chance(0.5)) {  // Puddles answer some of the drops.
    Signal puddle(out.size(), 0.0);
    add_bubble_stream(puddle, rate * 0.12, 0.0004, 0.0016, 0.2, random);
    normalise(puddle);
    mix(out, puddle, random.range(0.1, 0.4));
  }
  const double near_to_far = random.range(0.5, 1.2) * (0.4 + 1.2 * layer.intensity());
  mix(out, hiss(out.size(), layer.by_size(2500, 700), layer.by_size(11000, 6500), 0.1, random),
      near_to_far);
}

void add_stream(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const double large = layer.by_size(0.0025, 0.008) * random.range(0.85, 1.2);
  const double rate = (120 + 400 * layer.intensity()) * random.range(0.8, 1.25);
  add_bubble_stream(out, rate, large * 0.12, large, 0.7, random);
  normalise(out);
  const double water = random.range(0.15, 0.4) * (0.5 + layer.intensity());
  mix(out, hiss(out.size(), layer.by_size(700, 250), layer.by_size(5000, 2200), 0.35, random),
      water);
}

}  // namespace qingyin::training
