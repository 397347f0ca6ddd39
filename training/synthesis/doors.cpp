#include <algorithm>
#include <cmath>

#include "training/synthesis/layers.h"
#include "training/synthesis/modes.h"

namespace qingyin::training {
namespace {

/// The bolt rides over the strike plate and snaps into it: a few small clicks of metal.
void add_latch(Layer& layer, double at, double gain) {
  Random& random = layer.random;
  const auto modes = draw_modes(kMetal, 0.1 + 0.35 * layer.size(), random.range(18, 40), random);
  const int clicks = random.integer(1, 3);
  double t = at;
  for (int i = 0; i < clicks; ++i) {
    const double strength = gain * random.range(0.4, 1.0);
    add_blow(layer.out, t, 0.25 * strength, modes, 0.0002, random);
    const double decay = random.range(0.002, 0.006), centre = random.range(1800, 4200);
    add_noise_burst(layer.out, t, strength, centre, 0.9, 0.0002, decay, random);
    t += random.range(0.006, 0.028) * kRate;
  }
}

/// Leaf and frame strike each other again, ever more softly and faster.
void add_frame_rattle(Layer& layer, double gain, const std::vector<Mode>& panel) {
  Random& random = layer.random;
  double t = random.range(0.025, 0.06) * kRate, wait = random.range(0.03, 0.075);
  const double shrink = random.range(0.72, 0.9);
  const int count = random.integer(3, 9);
  for (int i = 0; i < count; ++i) {
    add_blow(layer.out, t, gain * random.range(0.5, 1.0), panel, 0.0012, random);
    const double decay = random.range(0.004, 0.014), centre = random.range(500, 1800);
    const double click = gain * random.range(0.3, 1.0);
    add_noise_burst(layer.out, t, click, centre, 0.8, 0.0004, decay, random);
    t += wait * random.range(0.7, 1.3) * kRate;
    wait *= shrink;
    gain *= random.range(0.6, 0.85);
  }
}

/// A hinge that sticks and slips: pulses at an unsteady rate through the leaf's resonances.
void add_creak(Layer& layer, double at, double gain, const std::vector<Mode>& panel) {
  Random& random = layer.random;
  const double length_s = random.range(0.25, 0.8);
  const auto first = static_cast<std::size_t>(at);
  const auto length = static_cast<std::size_t>(length_s * kRate);
  if (first >= layer.out.size()) return;
  Signal force(std::min(length, layer.out.size() - first), 0.0);
  const Signal drift = smooth_noise(force.size(), 0.12, random);
  const double rate_hz = layer.by_size(190, 60) * random.range(0.8, 1.25);
  double t = 0;
  while (t < static_cast<double>(force.size())) {
    const double u = t / static_cast<double>(length);
    const auto i = static_cast<std::size_t>(t);
    force[i] = std::sin(kPi * u) * random.range(0.6, 1.0);
    t += kRate / (rate_hz * std::exp(0.7 * drift[i])) * (1 + 0.05 * random.noise());
  }
  Signal body = drive_modes(force, panel);
  StateVariable hinge(layer.by_size(1700, 650) * random.range(0.8, 1.25), 4);
  OnePole dull(1600);
  const double squeal = random.range(0.2, 0.7) * rms(body) / std::max(rms(force), 1e-9);
  for (std::size_t i = 0; i < force.size(); ++i) {
    hinge.step(force[i]);
    body[i] = dull.low(body[i] + squeal * hinge.band());
  }
  normalise(body, gain);
  for (std::size_t i = 0; i < body.size(); ++i) layer.out[first + i] += body[i];
}

}  // namespace

void add_door(Layer& layer) {
  Random& random = layer.random;
  const double force = layer.intensity();
  const int material = layer.recipe.material_id;
  // A leaf is large, and held at its rim.
  const auto panel =
      draw_modes(material, 0.55 + 0.45 * layer.size(), random.range(2.0, 4.0), random);
  const bool creaks = random.chance(0.35 * std::clamp((0.45 - force) / 0.2, 0.0, 1.0));
  const double slam = creaks ? 0.35 : 1.0;
  const double contact = 0.003 * std::pow(10.0, -0.7 * (force - 0.3)) * random.range(0.7, 1.4);
  add_blow(layer.out, 0, slam, panel, contact, random);
  normalise(layer.out, 0.12 * slam);
  // The air that the leaf shuts in.
  const double thump = layer.by_size(130, 55) * random.range(0.85, 1.2);
  add_noise_burst(layer.out, 0,
                  slam * random.range(0.7, 1.3) * (0.5 + layer.size()) * (1.3 - 0.7 * force), thump,
                  1.5, 0.001, layer.by_size(0.035, 0.09), random);
  add_blow(layer.out, 0, (1.0 - 0.5 * force) * slam,
           {{thump * 1.3, random.range(22, 40), 1.0}, {thump * 2.7, random.range(40, 70), 0.5}},
           0.001, random);
  add_noise_burst(layer.out, 0, slam * (0.2 + 1.5 * force), layer.by_size(1500, 700), 0.5, 0.0003,
                  random.range(0.008, 0.022), random);
  const double latch = random.range(0.5, 1.1) * (creaks ? 0.4 : 0.15 + 1.2 * force);
  add_latch(layer, random.range(0.002, 0.02) * kRate, latch);
  if (creaks) {
    const double gain = random.range(0.08, 0.2);
    add_creak(layer, random.range(0.06, 0.2) * kRate, gain, panel);
  } else if (random.chance(0.35 + 0.6 * force)) {
    add_frame_rattle(layer, random.range(0.25, 0.6) * (0.2 + force), panel);
  }
}

}  // namespace qingyin::training
