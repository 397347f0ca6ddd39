#include <algorithm>
#include <cmath>

#include "training/synthesis/layers.h"
#include "training/synthesis/modes.h"

namespace qingyin::training {
namespace {

/// A piece of the broken body: few modes, all well above the whole body's.
std::vector<Mode> draw_shard(Layer& layer) {
  Random& random = layer.random;
  auto modes = draw_modes(layer.recipe.material_id, 0.15, random.range(2.5, 6), random);
  modes.resize(std::min<std::size_t>(modes.size(), 4));
  const double smaller = layer.by_size(1.7, 0.7) * random.log_range(0.75, 2.2);
  for (Mode& mode : modes) {
    mode.frequency_hz = std::min(16500.0, smaller * mode.frequency_hz);
    mode.decay_per_s += random.range(14, 30);
  }
  return modes;
}

/// Pieces that strike the floor or one another between `from` and some time later.
void add_shards(Layer& layer, int count, double from_s, double spread_s, double gain) {
  Random& random = layer.random;
  for (int i = 0; i < count; ++i) {
    const auto shard = draw_shard(layer);
    double t = (from_s + spread_s * random.exponential()) * kRate;
    double strength = gain * std::pow(random.uniform(), 1.5);
    double wait = random.range(0.02, 0.07) * (0.5 + layer.size());
    for (int bounce = random.integer(1, 2); bounce > 0; --bounce) {
      add_blow(layer.out, t, strength, shard, 0.00004, random);
      add_noise_burst(layer.out, t, 0.25 * strength, std::min(14000.0, 1.6 * shard[0].frequency_hz),
                      0.8, 0.0001, random.range(0.0006, 0.002), random);
      t += wait * kRate;
      wait *= 0.6;
      strength *= random.range(0.3, 0.6);
    }
  }
}

/// Crumbs that trickle down and come to rest.
void add_settling(Layer& layer, double from_s, double length_s, double gain, double centre_hz) {
  Random& random = layer.random;
  double t = from_s * kRate;
  const double end = std::min(t + 4 * length_s * kRate, static_cast<double>(layer.out.size()));
  const double start = t;
  while (t < end) {
    const double left = std::exp(-(t - start) / (length_s * kRate));
    const double centre = std::min(15000.0, centre_hz * random.log_range(0.6, 2.0));
    const double decay = random.log_range(0.0008, 0.005), q = random.range(2, 7);
    const double strength = gain * left * random.uniform() * random.uniform();
    add_noise_burst(layer.out, t, strength, centre, q, 0.0001, decay, random);
    t += random.exponential() * kRate / (260 * (0.1 + left));
  }
}

}  // namespace

void add_break(Layer& layer) {
  Random& random = layer.random;
  const int material = layer.recipe.material_id;
  const MaterialLaw& law = law_of(material);
  const double force = layer.intensity();
  const bool splinters = material == kWood || material == kPlastic;
  // The body rings once, cut off by the crack that runs through it.
  const auto body = draw_modes(material, layer.size(), random.range(4, 9), random);
  const double contact = contact_time(material, 0.3, force, random);
  add_blow(layer.out, 0, 1.0, body, contact, random);
  normalise(layer.out, 0.1);
  const double crack_hz = std::clamp(law.high_hz * layer.by_size(2.2, 0.9), 600.0, 9000.0);
  double t = 0, strength = 1.0;
  for (int cracks = splinters ? random.integer(3, 7) : random.integer(1, 3); cracks > 0; --cracks) {
    const double decay = random.range(0.002, 0.009), centre = crack_hz * random.range(0.7, 1.5);
    const double gain = strength * (0.8 + 1.2 * force);
    add_noise_burst(layer.out, t, gain, centre, 0.5, 0.0001, decay, random);
    t += random.range(0.004, splinters ? 0.035 : 0.014) * kRate;
    strength *= random.range(0.4, 0.9);
  }
  add_noise_burst(layer.out, 0, 0.5, layer.by_size(420, 150), 0.8, 0.0005, 0.02, random);
  const int pieces = static_cast<int>((splinters ? 6 : 16) + 14 * layer.size() + 10 * force);
  add_shards(layer, pieces / 2, 0.002, 0.035, random.range(0.4, 0.7) * (0.5 + 0.7 * force));
  const double fall_s = layer.by_size(0.12, 0.3) * random.range(0.8, 1.25);
  add_shards(layer, pieces, fall_s, layer.by_size(0.05, 0.13), random.range(0.25, 0.5));
  add_settling(layer, 0.01, layer.by_size(0.16, 0.4), random.range(0.3, 0.8),
               std::min(9000.0, 1.6 * law.high_hz));
}

}  // namespace qingyin::training
