#include <algorithm>
#include <array>
#include <cmath>

#include "training/synthesis/contact_layers.h"
#include "training/synthesis/layers.h"
#include "training/synthesis/modes.h"

namespace qingyin::training {
namespace {

/// How a surface sounds when something moves over it.
struct Surface {
  double centre_hz, q;  // of the rubbing noise that is heard directly
  double direct;        // its level beside the body's modes
  double grit_per_s;    // asperities and crumbs that break, at a middling speed
  double grit;          // their level beside the noise
  double squeal;        // chance that grip and slip lock into a tone
  double damping;       // of the body by the rubbing
};

constexpr std::array<Surface, 9> kSurfaces{{
    {380, 0.5, 0.7, 20, 0.2, 0.15, 1.6},    // none: rubber
    {900, 0.6, 0.35, 130, 1.2, 0.1, 1.6},   // wood: fibres
    {5200, 0.7, 0.12, 60, 0.6, 0.3, 1.0},   // metal
    {7800, 0.9, 0.12, 15, 0.3, 0.55, 1.6},  // glass
    {4200, 1.0, 0.4, 320, 1.6, 0.05, 1.5},  // ceramic: glaze and grains
    {1800, 1.1, 0.7, 40, 0.5, 0.2, 1.0},    // plastic
    {3000, 0.35, 1.6, 90, 3.0, 0.0, 1.0},   // stone: crumbs
    {1300, 0.4, 1.5, 420, 4.0, 0.0, 1.0},   // earth: grains only
    {2300, 0.4, 2.5, 0, 0.0, 0.0, 1.0},     // cloth: fibres slip without a sound of their own
}};

const Surface& surface_of(int material) { return kSurfaces.at(static_cast<std::size_t>(material)); }

/// Noise of a rough surface that passes under a contact, gripping and slipping.
Signal rub(const Surface& surface, const Signal& speed, double cutoff, Random& random) {
  const double grip_hz = random.log_range(18, 90);
  const double grip = std::min(0.85, 0.15 + surface.grit) * random.uniform();
  OnePole smooth(cutoff), rough(150);
  Signal force(speed.size(), 0.0);
  double phase = 0, slip = 1;
  for (std::size_t i = 0; i < speed.size(); ++i) {
    if (i % 64 == 0) smooth.set(cutoff * speed[i]);
    phase += grip_hz * speed[i] * (1 + 0.5 * random.noise()) / kRate;
    if (phase >= 1) {
      phase -= 1;
      slip = random.range(0.5, 2.0);
    }
    slip *= 1 - 3.0 * grip_hz / kRate;
    const double texture = random.noise() * (1 - grip + grip * 2.2 * slip);
    force[i] = smooth.low(rough.high(texture)) * speed[i];
  }
  normalise(force);
  return force;
}

/// Asperities that break under the contact: clicks of very uneven strength.
void add_grit(Signal& force, const Surface& surface, const Signal& speed, double intensity,
              Random& random) {
  if (surface.grit <= 0) return;
  const double rate = surface.grit_per_s * (0.5 + intensity) * random.log_range(0.7, 1.4);
  double t = 0;
  while (t < static_cast<double>(speed.size())) {
    const double fast = speed[static_cast<std::size_t>(t)];
    const double strength = std::min(5.0, std::pow(1 - random.uniform(), -0.5) - 0.8);
    const double decay = random.log_range(0.0004, 0.002);
    const double centre = surface.centre_hz * random.log_range(0.5, 2.2);
    add_noise_burst(force, t, 2.0 * surface.grit * strength * fast, centre, 1.0, 0.0001, decay,
                    random);
    t += random.exponential() * kRate / (rate * fast);
  }
}

/// Grip and slip in turn, regular enough for a tone: a saw's teeth whose rate follows the speed.
void add_squeal(Signal& force, const Signal& speed, double pitch_hz, double gain, Random& random) {
  const double bend = random.range(0.1, 0.5), breath = random.range(0.02, 0.15);
  const Signal waver = smooth_noise(speed.size(), random.range(0.08, 0.3), random);
  double phase = 0;
  for (std::size_t i = 0; i < speed.size(); ++i) {
    const double f = pitch_hz * (1 + bend * (speed[i] - 1) + 0.04 * waver[i]);
    phase += f * (1 + breath * random.noise()) / kRate;
    phase -= std::floor(phase);
    const double locked = std::clamp(0.5 + 1.2 * waver[i], 0.0, 1.0);
    force[i] += gain * locked * (2 * phase - 1) * speed[i];
  }
}

/// The modes' answer to a contact that wanders over the body: each third of them is met more or
/// less strongly as it does.
Signal drive_wandering(const Signal& force, const std::vector<Mode>& modes, double period_s,
                       Random& random) {
  constexpr std::size_t kGroups = 3;
  Signal body(force.size(), 0.0), here(force.size());
  for (std::size_t group = 0; group < kGroups; ++group) {
    std::vector<Mode> some;
    for (std::size_t k = group; k < modes.size(); k += kGroups) some.push_back(modes[k]);
    const Signal wander = smooth_noise(force.size(), period_s, random);
    for (std::size_t i = 0; i < force.size(); ++i) here[i] = force[i] * (1 + 0.9 * wander[i]);
    mix(body, drive_modes(here, some), 1.0);
  }
  return body;
}

/// The body's answer, and the force itself through the band of the surface.
Signal answer(const Signal& force, const std::vector<Mode>& modes, const Surface& surface,
              double direct, Random& random) {
  const double period_s = random.log_range(0.05, 0.2);
  Signal body = drive_wandering(force, modes, period_s, random);
  normalise(body);
  StateVariable band(surface.centre_hz, surface.q);
  Signal heard(force.size());
  for (std::size_t i = 0; i < force.size(); ++i) {
    band.step(force[i]);
    heard[i] = band.band();
  }
  normalise(heard);
  mix(body, heard, direct);
  return body;
}

}  // namespace

void add_scrape(Layer& layer) {
  // Source: van den Doel, Kry and Pai, "FoleyAutomatic", SIGGRAPH 2001.
  Random& random = layer.random;
  const int material = layer.recipe.material_id;
  const std::size_t extent = layer.extent();
  Surface surface = surface_of(material);
  surface.centre_hz *= (0.65 + 0.7 * layer.intensity()) * layer.by_size(1.3, 0.77);
  Signal speed = smooth_noise(extent, random.range(0.12, 0.35), random);
  const double unrest = random.range(0.25, 0.6);
  // The stroke slows down before it stops.
  const double ending = random.range(0.05, 0.25) * static_cast<double>(extent);
  for (std::size_t i = 0; i < extent; ++i) {
    const double left = static_cast<double>(extent - i) / ending;
    speed[i] = (1 + unrest * speed[i]) * std::min(1.0, 0.05 + left);
  }
  const double cutoff = 3.0 * surface.centre_hz * random.log_range(0.8, 1.25);
  Signal force = rub(surface, speed, cutoff, random);
  add_grit(force, surface, speed, layer.intensity(), random);
  if (random.chance(surface.squeal)) {
    const double pitch = law_of(material).high_hz * layer.by_size(0.9, 0.25);
    const double gain = random.range(0.5, 2.0);
    add_squeal(force, speed, pitch * random.log_range(0.8, 1.25), gain, random);
  }
  force.resize(layer.out.size(), 0.0);
  const double damping = surface.damping * random.log_range(0.85, 1.2);
  const auto modes = draw_modes(material, layer.size(), damping, random);
  const double direct = surface.direct * random.log_range(0.7, 1.4);
  mix(layer.out, answer(force, modes, surface, direct, random), 1.0);
}

namespace {

/// Micro-impacts of a rolling body: a Poisson process whose rate and strength turn with it.
Signal knocks(Layer& layer, double contact) {
  Random& random = layer.random;
  const std::size_t extent = layer.extent();
  const double turns_hz =
      layer.by_size(7, 1.6) * (0.6 + 0.8 * layer.intensity()) * random.log_range(0.8, 1.25);
  const double rate = (60 + 260 * layer.intensity()) * random.log_range(0.7, 1.4);
  const double wobble = random.range(0.2, 0.7), uneven = random.range(2.0, 4.0);
  Signal force(layer.out.size(), 0.0);
  double t = 0, phase = random.uniform();
  while (t < static_cast<double>(extent)) {
    const double side = 1 + wobble * std::sin(2 * kPi * (phase + turns_hz * t / kRate));
    const double knock = side * side * (0.1 + std::pow(random.uniform(), uneven));
    const double width = contact * random.log_range(0.6, 1.6) * kRate;
    const auto first = static_cast<std::size_t>(t);
    const auto last = std::min(extent, first + static_cast<std::size_t>(width) + 1);
    for (std::size_t i = first; i < last; ++i) {
      force[i] += knock * std::sin(kPi * (static_cast<double>(i - first) + 0.5) / (width + 1));
    }
    t += random.exponential() * kRate / (rate * side);
  }
  OnePole no_dc(40);
  for (double& x : force) x = no_dc.high(x);
  return force;
}

}  // namespace

void add_rolling(Layer& layer) {
  // Source: Rath and Rocchesso, "Continuous sonic feedback from a rolling ball", IEEE MultiMedia
  // 12(2), 2005.
  Random& random = layer.random;
  const int material = layer.recipe.material_id;
  const double contact = law_of(material).contact_s * (0.8 + 0.9 * layer.size()) *
                         (1.6 - 1.1 * layer.intensity()) * random.log_range(0.85, 1.18);
  const Signal force = knocks(layer, contact);
  Surface surface = surface_of(material);
  surface.centre_hz *= (0.5 + 0.5 * layer.intensity()) * layer.by_size(1.3, 0.6);
  const double damping = surface.damping * random.log_range(0.9, 1.2);
  const auto modes = draw_modes(material, layer.size(), damping, random);
  const double direct = std::min(1.0, surface.direct) * random.range(0.3, 0.8);
  Signal body = answer(force, modes, surface, direct, random);
  // What it rolls on booms under its weight.
  const double boom_hz = layer.by_size(380, 110) * random.log_range(0.8, 1.25);
  OnePole heavy1(boom_hz), heavy2(boom_hz), heavy3(2 * boom_hz);
  Signal rumble(force.size());
  for (std::size_t i = 0; i < force.size(); ++i) {
    rumble[i] = heavy3.low(heavy2.low(heavy1.low(force[i])));
  }
  normalise(rumble);
  mix(body, rumble, random.range(0.1, 0.4) * (0.3 + layer.size()));
  mix(layer.out, body, 1.0);
}

}  // namespace qingyin::training
