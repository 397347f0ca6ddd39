#include <algorithm>
#include <cmath>

#include "training/synthesis/contact_layers.h"
#include "training/synthesis/layers.h"
#include "training/synthesis/liquid_layers.h"

namespace qingyin::training {

void add_bubble(Signal& out, const Bubble& bubble) {
  const double f = 3.0 / bubble.radius_m;
  const double decay = 0.13 / bubble.radius_m + 0.0072 * std::pow(bubble.radius_m, -1.5);
  const auto first = static_cast<std::size_t>(std::max(0.0, bubble.at));
  const auto length = static_cast<std::size_t>(6.0 / decay * kRate);
  const std::size_t last = std::min(out.size(), first + length);
  const double keep = std::exp(-decay / kRate);
  constexpr std::size_t kStep = 16;
  double amplitude = bubble.gain, c = 1, s = 0;
  for (std::size_t i = first; i < last; i += kStep) {
    const double t = static_cast<double>(i - first) / kRate;
    const double now_hz = std::min(f * (1 + bubble.rise * decay * t), 15000.0);
    const double omega = 2 * kPi * now_hz / kRate;
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

void add_bubble_stream(Signal& out, const BubbleStream& stream, Random& random) {
  const Signal activity = smooth_noise(out.size(), stream.period_s, random);
  double t = 0;
  while (t < static_cast<double>(out.size())) {
    const double busy = std::exp(stream.clumping * activity[static_cast<std::size_t>(t)]);
    const double u = random.uniform();
    const double radius =
        stream.small_m * std::pow(stream.large_m / stream.small_m, u * std::sqrt(u));
    const double depth = random.uniform();  // the deeper, the fainter
    const double rise = random.chance(0.3) ? random.range(0.05, 0.25) : 0.02;
    const double gain = std::pow(radius / stream.large_m, 0.7) * (0.1 + depth * depth);
    add_bubble(out, {t, gain, radius, rise});
    t += random.exponential() * kRate / (stream.rate_per_s * busy);
  }
}

namespace {

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

/// The vessel that the water stands in: it answers with a few damped modes.
void add_vessel(Layer& layer) {
  Random& random = layer.random;
  const double lowest = layer.by_size(900, 140) * random.log_range(0.7, 1.4);
  const double damping = random.log_range(25, 90);
  std::vector<Mode> modes;
  double ratio = 1;
  for (int i = 0; i < 4; ++i) {
    modes.push_back({lowest * ratio, damping * std::sqrt(ratio), 1 / ratio});
    ratio *= random.range(1.4, 2.2);
  }
  const double level = rms(layer.out) * random.range(0.15, 0.45);
  Signal wall = drive_modes(layer.out, modes);
  normalise(wall, level);
  mix(layer.out, wall, 1.0);
}

/// Droplets of a crown that fall back, each a splash and now and then a bubble.
void add_crown(Layer& layer, double splash, double radius) {
  Random& random = layer.random;
  const int droplets = 6 + static_cast<int>(26 * layer.size() * layer.intensity());
  const double lasting = 0.12 + 0.3 * layer.intensity();
  for (int i = 0; i < droplets; ++i) {
    const double late = (0.04 + lasting * random.uniform()) * kRate;
    const double gain = splash * random.range(0.03, 0.2), centre = random.log_range(2000, 7000);
    const double decay = random.log_range(0.0007, 0.003);
    add_noise_burst(layer.out, late, gain, centre, 1.0, 0.0002, decay, random);
    if (!random.chance(0.4)) continue;
    const double small = std::max(0.0004, radius * random.range(0.12, 0.4));
    const double ring = random.range(0.05, 0.25), delay = random.range(0.002, 0.012) * kRate;
    add_bubble(layer.out, {late + delay, ring, small, 0.1});
  }
}

}  // namespace

void add_drop(Layer& layer) {
  Random& random = layer.random;
  const double radius = layer.by_size(0.0009, 0.006) * random.log_range(0.85, 1.18);
  const double splash = (0.08 + 0.55 * layer.intensity()) * random.range(0.5, 1.3);
  const double splash_hz = layer.by_size(6000, 2200) * random.log_range(0.8, 1.25);
  const double splash_s = layer.by_size(0.0012, 0.008) * random.log_range(0.7, 1.4);
  add_noise_burst(layer.out, 0, splash, splash_hz, 0.6, 0.0002, splash_s, random);
  // The cavity closes over the bubble later the larger the drop.
  const double delay = layer.by_size(0.004, 0.02) * random.log_range(0.75, 1.35) * kRate;
  add_bubble(layer.out, {delay, 1.0, radius, random.range(0.05, 0.22)});
  const int more = random.integer(0, layer.size() > 0.5 ? 5 : 2);
  double t = delay;
  for (int i = 0; i < more; ++i) {
    t += random.range(0.008, 0.07) * kRate;
    const double gain = random.range(0.1, 0.5), part = random.range(0.25, 0.85);
    add_bubble(layer.out, {t, gain, radius * part, random.range(0.02, 0.2)});
  }
  if (layer.size() > 0.5) add_crown(layer, splash, radius);
  if (random.chance(0.4)) add_vessel(layer);
}

void add_bubbles(Layer& layer) {
  Random& random = layer.random;
  const double large = layer.by_size(0.004, 0.016) * random.log_range(0.85, 1.18);
  const double rate = (8 + 45 * layer.intensity()) * random.log_range(0.7, 1.4);
  add_bubble(layer.out, {0, 0.5, large * random.range(0.4, 0.9), 0.1});
  const double clumping = random.range(0.4, 1.2), period = random.log_range(0.08, 0.3);
  add_bubble_stream(layer.out, {rate, 0.25 * large, large, clumping, period}, random);
  // A nozzle or a bottle's neck sends bubbles of one size at even intervals: a gurgle.
  if (random.chance(0.5)) {
    const double calm = 0.25 + 1.1 * layer.intensity();
    const double each_s = random.log_range(0.04, 0.12) / calm;
    const double radius = large * random.range(0.6, 1.0);
    for (double at = 0.02 * kRate; at < static_cast<double>(layer.out.size());) {
      const double gain = random.range(0.3, 0.9), uneven = random.log_range(0.93, 1.08);
      add_bubble(layer.out, {at, gain, radius * uneven, random.range(0.03, 0.12)});
      at += each_s * random.range(0.75, 1.3) * kRate;
    }
  }
  normalise(layer.out);
  // Bubbles that burst at the surface throw fine spray.
  const double fizz = random.uniform() * random.uniform() * 0.1;
  mix(layer.out, hiss(layer.out.size(), 1800, 6500, 0.7, random), fizz);
  if (random.chance(0.4)) add_vessel(layer);
}

namespace {

/// Drops that are heard one by one on what they fall on: leaves, ground or a roof.
void add_near_drops(Layer& layer, double rate, double centre) {
  Random& random = layer.random;
  double t = 0;
  while (t < static_cast<double>(layer.out.size())) {
    const double energy = std::pow(random.uniform(), 4.0);
    const double pitch = centre * random.log_range(0.5, 1.8), q = random.range(0.7, 2.0);
    const double decay = random.log_range(0.0004, 0.0022);
    add_noise_burst(layer.out, t, 0.05 + energy, pitch, q, 0.0001, decay, random);
    t += random.exponential() * kRate / rate;
  }
  normalise(layer.out);
}

/// A few heavy drops on a hollow surface: a roof, a sill, a tent.
void add_roof_drops(Layer& layer, double rate) {
  Random& random = layer.random;
  const int material = random.chance(0.5) ? kMetal : kPlastic;
  auto modes = draw_modes(material, 0.35 + 0.4 * layer.size(), 12, random);
  modes.resize(std::min<std::size_t>(modes.size(), 8));
  Signal roof(layer.out.size(), 0.0);
  double t = random.exponential() * kRate / rate;
  while (t < static_cast<double>(roof.size())) {
    const double gain = 0.1 + std::pow(random.uniform(), 3.0);
    add_blow(roof, t, gain, modes, 0.25e-3, random);
    t += random.exponential() * kRate / rate;
  }
  normalise(roof);
  mix(layer.out, roof, random.range(0.1, 0.35));
}

}  // namespace

void add_rain(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const double rate = 140 * std::pow(8.0, layer.intensity()) * random.log_range(0.75, 1.35);
  const double centre = layer.by_size(7500, 2800) * random.log_range(0.85, 1.18);
  add_near_drops(layer, rate, centre);
  if (random.chance(0.5)) {  // Puddles answer some of the drops.
    Signal puddle(out.size(), 0.0);
    add_bubble_stream(puddle, {rate * 0.12, 0.0004, 0.0016, 0.2, 0.12}, random);
    normalise(puddle);
    mix(out, puddle, random.range(0.1, 0.4));
  }
  if (random.chance(0.3)) add_roof_drops(layer, 0.05 * rate);
  // Far rain: a hiss with the broad peak of small drops on water and leaves.
  const double near_to_far = random.range(0.5, 1.2) * (0.4 + 1.2 * layer.intensity());
  const double low = layer.by_size(2500, 700), high = layer.by_size(11000, 6500);
  mix(out, hiss(out.size(), low, high, 0.1, random), near_to_far);
}

void add_stream(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const double large = layer.by_size(0.0025, 0.008) * random.log_range(0.85, 1.18);
  const double rate = (110 + 360 * layer.intensity()) * random.log_range(0.8, 1.25);
  const double clumping = random.range(0.4, 0.9), period = random.log_range(0.08, 0.2);
  add_bubble_stream(out, {rate, 0.12 * large, large, clumping, period}, random);
  normalise(out);
  // Where the water folds over a stone it gulps, now here, now there.
  Signal gulps(out.size(), 0.0);
  const double gulp_rate = random.log_range(6, 25);
  add_bubble_stream(gulps, {gulp_rate, 0.8 * large, 2.2 * large, 1.6, 0.25}, random);
  normalise(gulps);
  mix(out, gulps, random.range(0.0, 0.5));
  const double water = random.range(0.12, 0.4) * (0.5 + layer.intensity());
  const double low = layer.by_size(700, 250), high = layer.by_size(5000, 2200);
  mix(out, hiss(out.size(), low, high, 0.35, random), water);
}

}  // namespace qingyin::training
