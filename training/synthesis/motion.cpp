#include <algorithm>
#include <cmath>

#include "training/synthesis/layers.h"
#include "training/synthesis/modes.h"

namespace qingyin::training {
namespace {

/// Scales towards the body the force excites, so that a dull body still has its contact heard.
void mix_contact(Signal& body, Signal force, double share) {
  normalise(body);
  normalise(force);
  mix(body, force, share);
}

}  // namespace

void add_scrape(Layer& layer) {
  // Noise of a rough surface passing under a contact, gripping and slipping.
  // Source: Rath and Rocchesso, "Continuous sonic feedback from a rolling ball", IEEE MultiMedia
  // 12(2), 2005, and van den Doel, Kry and Pai, "FoleyAutomatic", SIGGRAPH 2001.
  Random& random = layer.random;
  const std::size_t extent = layer.extent();
  const Signal stroke = smooth_noise(extent, random.range(0.12, 0.35), random);
  const double cutoff = (1800 + 9000 * layer.intensity()) * random.range(0.7, 1.3);
  const double grip_hz = random.log_range(18, 90), grip = random.range(0.2, 0.9);
  Signal force(layer.out.size(), 0.0);
  OnePole smooth(cutoff), rough(250);
  double phase = 0, slip = 1;
  for (std::size_t i = 0; i < extent; ++i) {
    const double speed = 1 + 0.55 * stroke[i];
    if (i % 64 == 0) smooth.set(cutoff * speed);
    phase += grip_hz * speed * (1 + 0.5 * random.noise()) / kRate;
    if (phase >= 1) {
      phase -= 1;
      slip = random.range(0.5, 2.0);
    }
    slip *= 1 - 3.0 * grip_hz / kRate;
    const double texture = random.noise() * (1 - grip + grip * 2.2 * slip);
    force[i] = smooth.low(rough.high(texture)) * speed;
  }
  const auto modes =
      draw_modes(layer.recipe.material_id, layer.size(), random.range(1.0, 1.7), random);
  Signal body = drive_modes(force, modes);
  const int material = layer.recipe.material_id;
  const bool dull = material == kEarth || material == kCloth;
  mix_contact(body, force, dull ? random.range(1.0, 2.0) : random.range(0.2, 0.5));
  mix(layer.out, body, 1.0);
}

void add_rolling(Layer& layer) {
  Random& random = layer.random;
  const std::size_t extent = layer.extent();
  const double turns_hz =
      layer.by_size(7, 1.6) * (0.6 + 0.8 * layer.intensity()) * random.range(0.8, 1.25);
  const double rate = (60 + 260 * layer.intensity()) * random.range(0.7, 1.4);
  const double wobble = random.range(0.3, 0.8);
  const double contact = law_of(layer.recipe.material_id).contact_s * (0.8 + 1.2 * layer.size()) *
                         (1.6 - 1.1 * layer.intensity());
  Signal force(layer.out.size(), 0.0);
  double t = 0, phase = random.uniform();
  while (t < static_cast<double>(extent)) {
    const double side = 1 + wobble * std::sin(2 * kPi * (phase + turns_hz * t / kRate));
    const double knock = side * side * (0.1 + std::pow(random.uniform(), 3.0));
    const double width = contact * random.range(0.6, 1.6) * kRate;
    const auto first = static_cast<std::size_t>(t);
    const auto last = std::min(extent, first + static_cast<std::size_t>(width) + 1);
    for (std::size_t i = first; i < last; ++i) {
      force[i] += knock * std::sin(kPi * (static_cast<double>(i - first) + 0.5) / (width + 1));
    }
    t += random.exponential() * kRate / (rate * side);
  }
  OnePole no_dc(40), heavy1(layer.by_size(400, 120)), heavy2(layer.by_size(400, 120));
  for (double& x : force) x = no_dc.high(x);
  const auto modes =
      draw_modes(layer.recipe.material_id, layer.size(), random.range(1.0, 1.8), random);
  Signal body = drive_modes(force, modes);
  mix_contact(body, force, random.range(0.15, 0.4));
  Signal rumble(force.size());
  for (std::size_t i = 0; i < force.size(); ++i) rumble[i] = heavy2.low(heavy1.low(force[i]));
  normalise(rumble);
  mix(body, rumble, random.range(0.2, 0.5) * (0.4 + layer.size()));
  mix(layer.out, body, 1.0);
}

}  // namespace qingyin::training
