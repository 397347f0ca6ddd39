#include <algorithm>
#include <array>
#include <cmath>

#include "training/synthesis/contact_layers.h"
#include "training/synthesis/layers.h"
#include "training/synthesis/modes.h"

namespace qingyin::training {
namespace {

double peak_of(const Signal& signal) {
  double best = 1e-12;
  for (const double x : signal) best = std::max(best, std::abs(x));
  return best;
}

/// Air pressed out from under a soft thing, and its fibres.
void add_puff(Signal& out, double at, double gain, double cutoff_hz, double decay_s,
              Random& random) {
  const double fibre_hz = random.range(2500, 5500), fibre = random.range(0.006, 0.025);
  const auto first = static_cast<std::size_t>(at);
  const double rise_s = 0.0008 + 0.03 * decay_s;
  const auto length = static_cast<std::size_t>(7 * decay_s * kRate);
  OnePole low1(cutoff_hz), low2(1.5 * cutoff_hz), low3(2 * cutoff_hz);
  const double scale = gain * std::sqrt(kRate / (kPi * cutoff_hz));
  for (std::size_t i = first; i < std::min(out.size(), first + length); ++i) {
    const double t = static_cast<double>(i - first) / kRate;
    const double level = std::exp(-t / decay_s) * (1 - std::exp(-t / rise_s));
    out[i] += scale * level * low3.low(low2.low(low1.low(random.noise())));
  }
  add_noise_burst(out, at, gain * fibre, fibre_hz, 0.5, 2 * rise_s, 0.8 * decay_s, random);
}

/// What the ground is made of where it is loose: gravel, soil, or leaves and snow.
Debris draw_ground(double at, double gain, Random& random) {
  const double kind = random.uniform();
  const double centre = random.uniform(), decay = random.log_range(0.04, 0.12);
  if (kind < 0.4) return {at, gain, 420, decay, 2000 + 2500 * centre, 2.2, 0.0022};
  if (kind < 0.7) return {at, 1.3 * gain, 700, decay, 900 + 1200 * centre, 1.0, 0.0028};
  return {at, 0.8 * gain, 1100, decay, 3500 + 3000 * centre, 1.1, 0.0010};
}

/// What follows the first blow: bounces, a rattling part, crumbs.
void add_aftermath(Layer& layer, Signal& out, const std::vector<Mode>& modes, double contact_s) {
  Random& random = layer.random;
  const int material = layer.recipe.material_id;
  const double what = random.uniform();
  if (what < 0.3) {
    Bounces bounces{};
    bounces.wait_s = random.range(0.05, 0.11) + 0.08 * layer.intensity();
    bounces.restitution = random.range(0.45, 0.75);
    bounces.gain = random.range(0.08, 0.25);
    bounces.count = random.integer(1, material == kMetal ? 3 : 6);
    add_bounces(out, bounces, modes, contact_s, random);
  } else if (what < 0.42) {
    const double start = random.range(0.01, 0.04) * kRate, gain = random.range(0.05, 0.15);
    const double rate = random.range(18, 45), decay = random.range(0.05, 0.15);
    const auto loose = std::vector<Mode>(
        modes.begin(), modes.begin() + std::min<long>(static_cast<long>(modes.size()), 6));
    add_chatter(out, start, gain, rate, decay, loose, contact_s, random);
  }
  if (material == kStone) {
    Debris crumbs{200, 0.12, 250, 0.05, 4200, 1.2, 0.0009};
    crumbs.gain *= random.uniform() * (0.4 + layer.intensity());
    add_debris(out, crumbs, random);
  }
}

void add_soft_blow(Layer& layer, Signal& out) {
  Random& random = layer.random;
  const double gain = random.range(0.5, 1.1);
  if (layer.recipe.material_id == kCloth) {
    const double cutoff = layer.by_size(900, 320) * (0.6 + 0.8 * layer.intensity());
    const double decay = layer.by_size(0.018, 0.06) * random.log_range(0.7, 1.4);
    return add_puff(out, 0, gain, cutoff, decay, random);
  }
  Debris ground = draw_ground(40, 0.5 * gain * (0.4 + layer.intensity()), random);
  ground.centre_hz *= layer.by_size(1.25, 0.8);
  add_debris(out, ground, random);
}

}  // namespace

void add_impact(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const int material = layer.recipe.material_id;
  const double contact = contact_time(material, layer.size(), layer.intensity(), random);
  const double held = random.log_range(0.8, 1.35);
  const auto modes = draw_modes(material, layer.size(), held, random);
  add_blow(out, 0, 1.0, modes, contact, random);
  const double scale = 1 / peak_of(out);
  for (double& x : out) x *= scale;
  // Harder blows have the louder crack, not only the brighter one.
  const double crack = law_of(material).noise * random.range(0.5, 1.5);
  add_transient(out, 0, crack * (0.4 + 1.2 * layer.intensity()), contact, random);
  if (is_soft(material)) return add_soft_blow(layer, out);
  if (material == kWood) {
    // Most wood is a board or a box: the air in it answers.
    const double boom_hz = layer.by_size(300, 90) * random.log_range(0.85, 1.18);
    const double boom = random.range(0.15, 0.5), dying = random.range(28, 45);
    add_thump(out, 0, boom, boom_hz, dying);
  } else if (layer.size() > 0.25) {
    const double floor_hz = layer.by_size(220, 70) * random.log_range(0.8, 1.25);
    const double loudness = random.uniform();
    const double gain = 0.3 * loudness * random.uniform();
    add_thump(out, 0, gain, floor_hz, random.range(45, 90));
  }
  Signal later(out.size(), 0.0);
  add_aftermath(layer, later, modes, contact);
  mix(out, later, material == kStone ? 1.0 : scale);
}

namespace {

/// A shoe and what it treads on.
struct Step {
  std::vector<Mode> ground;
  double sole;  // 0 soft rubber to 1 a hard heel
  double weight_hz;
  double modes_gain;  // that brings the ground's modes to unit peak
};

/// How hard the ground is for the click of a heel.
double click_of(int material) {
  switch (material) {
    case kStone:
    case kCeramic:
      return 1.0;
    case kMetal:
    case kGlass:
      return 0.7;
    case kWood:
    case kPlastic:
      return 0.45;
    case kEarth:
      return 0.08;
    case kCloth:
      return 0.02;
    default:
      return 0.2;
  }
}

/// How much of the step is the ground's own ringing.
double ringing_of(int material) {
  switch (material) {
    case kMetal:
      return 1.0;
    case kWood:
    case kGlass:
    case kCeramic:
      return 0.8;
    default:
      return 0.5;
  }
}

Step draw_step(Layer& layer) {
  Random& random = layer.random;
  const int material = layer.recipe.material_id;
  Step step{};
  const double stretch = 0.25 + 0.6 * layer.size();
  const double damping = random.log_range(1.2, 2.2);
  step.ground = draw_modes(material, stretch, damping, random);
  step.sole = random.uniform();
  step.weight_hz = layer.by_size(140, 62) * random.log_range(0.87, 1.15);
  Signal probe(2400, 0.0);
  Random other = random.fork();
  add_blow(probe, 0, 1.0, step.ground, law_of(material).contact_s, other);
  step.modes_gain = 1 / peak_of(probe);
  return step;
}

/// One contact of the shoe, heel or toe.
void add_shoe(Layer& layer, const Step& step, double at, double gain, bool heel) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const int material = layer.recipe.material_id;
  const double click = click_of(material);
  const double softness = std::pow(10.0, 0.5 - 0.5 * layer.intensity() - 0.5 * step.sole);
  const double contact = std::max(law_of(material).contact_s, 0.0004) * softness *
                         (heel ? 1.0 : 1.6) * random.log_range(0.8, 1.25);
  const double weight = (heel ? 0.5 : 0.25) * random.range(0.6, 1.2);
  add_thump(out, at, gain * weight, step.weight_hz, random.range(38, 65));
  const double ringing = ringing_of(material) * random.range(0.5, 1.1);
  add_blow(out, at, gain * ringing * step.modes_gain, step.ground, contact, random);
  const double crack = click * (0.15 + 0.5 * step.sole) * (0.5 + layer.intensity());
  add_transient(out, at, gain * crack, 0.5 * contact, random);
  if (material == kEarth) {
    Debris crunch = draw_ground(at + 30, gain * random.range(0.5, 1.0), random);
    crunch.centre_hz *= layer.by_size(1.2, 0.8);
    add_debris(out, crunch, random);
  } else if (material == kCloth) {
    const double cutoff = layer.by_size(520, 260) * (0.7 + 0.6 * layer.intensity());
    const double puff = gain * random.range(0.25, 0.5), decay = random.range(0.015, 0.04);
    add_puff(out, at, puff, cutoff, decay, random);
  } else if (material == kStone) {
    const double grit = gain * random.uniform() * 0.12;
    add_debris(out, {at + 20, grit, 500, 0.05, 5200, 1.2, 0.0008}, random);
  }
}

/// The sole drags while the foot rolls and settles.
void add_scuff(Layer& layer, double roll_s) {
  Random& random = layer.random;
  const int material = layer.recipe.material_id;
  if (material == kEarth || !random.chance(0.55)) return;
  const double dull = material == kCloth ? 0.25 : 1.0;
  const double centre = random.log_range(1200, 4500) * dull;
  const double gain = random.range(0.015, 0.07), decay = random.range(0.02, 0.06);
  add_noise_burst(layer.out, roll_s * 0.4 * kRate, gain, centre, 0.6, roll_s * 0.4, decay, random);
}

}  // namespace

void add_footstep(Layer& layer) {
  Random& random = layer.random;
  const Step step = draw_step(layer);
  // Faster walkers roll the foot faster: 150 ms from heel to toe at a stroll, 60 ms at a run.
  const double roll_s = (0.15 - 0.08 * layer.intensity()) * random.range(0.85, 1.2);
  add_shoe(layer, step, 0, 1.0, true);
  add_shoe(layer, step, roll_s * kRate, random.range(0.35, 0.7), false);
  add_scuff(layer, roll_s);
}

}  // namespace qingyin::training
