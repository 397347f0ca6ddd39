#include <algorithm>
#include <cmath>

#include "training/synthesis/layers.h"
#include "training/synthesis/tones.h"

namespace qingyin::training {
namespace {

/// Bubbles that the collapsing hole leaves behind, ever fewer.
void add_plume(Layer& layer, double at, double gain, double length_s) {
  Random& random = layer.random;
  const double large = layer.by_size(0.0035, 0.016) * random.range(0.85, 1.2);
  const double rate = 90 + 130 * layer.intensity();
  double t = at;
  while (t < std::min(at + 4 * length_s * kRate, static_cast<double>(layer.out.size()))) {
    const double left = std::exp(-(t - at) / (length_s * kRate));
    const double radius = large * std::pow(0.09, random.uniform());
    const double strength = gain * std::pow(radius / large, 0.6) * random.range(0.2, 1.0);
    add_tone(layer.out, t, strength * left, bubble_tone(radius, random.range(0.02, 0.12)));
    t += random.exponential() * kRate / (rate * (0.15 + left));
  }
}

/// Water thrown up: a sheet that hisses as it tears, then drops that fall back.
void add_spray(Layer& layer, double gain, double length_s) {
  Random& random = layer.random;
  const double centre =
      layer.by_size(5200, 2300) * (0.65 + 0.6 * layer.intensity()) * random.range(0.85, 1.2);
  StateVariable sheet(centre, 0.55);
  const Signal tears = smooth_noise(layer.out.size(), 0.012, random);
  const double rise_s = layer.by_size(0.004, 0.03);
  for (std::size_t i = 0; i < layer.out.size(); ++i) {
    const double t = static_cast<double>(i) / kRate;
    if (t > 7 * length_s) break;
    const double swell = (1 - std::exp(-t / rise_s)) * std::exp(-t / length_s);
    sheet.step(random.noise());
    layer.out[i] += 0.7 * gain * swell * std::exp(0.6 * tears[i]) * sheet.band();
  }
  const int drops = 15 + static_cast<int>(70 * layer.size() * (0.4 + layer.intensity()));
  for (int i = 0; i < drops; ++i) {
    const double t = (0.05 + length_s * 1.6 * std::sqrt(random.exponential())) * kRate;
    const double energy = random.uniform();
    const double strength = gain * energy * random.range(0.1, 0.5);
    const double decay = random.log_range(0.0008, 0.004);
    const double pitch = centre * random.log_range(0.7, 2.2);
    add_noise_burst(layer.out, t, strength, pitch, 1.2, 0.0002, decay, random);
    if (random.chance(0.4)) {
      add_tone(layer.out, t + 0.004 * kRate, 0.5 * strength,
               bubble_tone(random.log_range(0.0008, 0.003), 0.1));
    }
  }
}

}  // namespace

void add_splash(Layer& layer) {
  Random& random = layer.random;
  const double force = layer.intensity();
  // The slap of the body on the surface.
  add_noise_burst(layer.out, 0, 0.9 + 0.8 * force, layer.by_size(2600, 900), 0.5, 0.0004,
                  layer.by_size(0.004, 0.018) * random.range(0.8, 1.3), random);
  const double spray_s = layer.by_size(0.06, 0.26) * random.range(0.8, 1.25);
  add_spray(layer, random.range(0.5, 0.9) * (0.5 + 0.8 * force), spray_s);
  // The hole that it tore closes again, and its air rings: the larger, the later and the lower.
  const double close = layer.by_size(0.02, 0.16) * random.range(0.8, 1.3) * kRate;
  const double radius = layer.by_size(0.005, 0.026) * random.range(0.85, 1.2);
  const auto cavity = bubble_tone(radius, random.range(0.04, 0.12));
  add_tone(layer.out, close, random.range(0.5, 1.1), cavity);
  add_plume(layer, 0.5 * close, random.range(0.3, 0.6), layer.by_size(0.06, 0.3));
}

}  // namespace qingyin::training
