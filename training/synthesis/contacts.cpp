#include <algorithm>
#include <array>
#include <cmath>

#include "training/synthesis/layers.h"
#include "training/synthesis/modes.h"

namespace qingyin::training {
namespace {

bool is_soft(int material) { return material == kEarth || material == kCloth; }

/// Grains set free by a contact: many tiny collisions that die out (PhISEM; Cook, "Physically
/// informed sonic modeling", Computer Music Journal 21(3), 1997).
void add_grains(Signal& out, double at, double gain, double rate_per_s, double decay_s,
                double centre_hz, Random& random) {
  double t = at;
  const double end = at + 4 * decay_s * kRate;
  while (t < end && t < static_cast<double>(out.size())) {
    const double energy = std::exp(-(t - at) / (decay_s * kRate));
    const double grain = gain * energy * random.range(0.15, 1.0) * random.uniform();
    add_noise_burst(out, t, grain, centre_hz * random.log_range(0.5, 2.0), random.range(1.0, 3.5),
                    0.0002, random.log_range(0.0008, 0.004), random);
    t += random.exponential() * kRate / (rate_per_s * (0.2 + energy));
  }
}

/// Small later contacts of the same body: a bounce whose waits shrink, or a loose part.
void add_rattle(Signal& out, const std::vector<Mode>& modes, double contact_s, Random& random) {
  double wait = random.range(0.05, 0.14), t = 0, gain = random.range(0.08, 0.2);
  const int count = random.integer(1, 4);
  const double restitution = random.range(0.5, 0.75);
  for (int i = 0; i < count; ++i) {
    t += wait * kRate;
    add_blow(out, t, gain, modes, contact_s * 1.2, random);
    wait *= restitution;
    gain *= restitution;
  }
}

void add_contact_noise(Layer& layer, double at, double gain, double contact_s) {
  const double centre = std::clamp(0.5 / contact_s, 90.0, 9000.0);
  add_noise_burst(layer.out, at, gain, centre, 0.7, contact_s * 0.3,
                  std::clamp(contact_s * 3.0, 0.0012, 0.03), layer.random);
}

}  // namespace

void add_impact(Layer& layer) {
  Random& random = layer.random;
  const int material = layer.recipe.material_id;
  const double contact = contact_time(material, layer.size(), layer.intensity(), random);
  const auto modes = draw_modes(material, layer.size(), random.range(0.85, 1.3), random);
  add_blow(layer.out, 0, 1.0, modes, contact, random);
  normalise(layer.out);
  const double body_peak = *std::max_element(layer.out.begin(), layer.out.end());
  const double noise = law_of(material).noise * random.range(0.5, 1.5);
  add_contact_noise(layer, 0, noise * body_peak * (0.7 + 0.6 * layer.intensity()), contact);
  if (!is_soft(material) && layer.size() > 0.25) {
    // The floor or table under the object answers with a low thump.
    const double f = layer.by_size(220, 70) * random.range(0.8, 1.25);
    add_blow(layer.out, 0, 0.35 * body_peak * random.uniform(), {{f, random.range(35, 80), 1.0}}, 0,
             random);
  }
  if (material == kEarth) {
    add_grains(layer.out, 100, body_peak * random.range(0.1, 0.35), random.range(150, 500),
               random.range(0.03, 0.12), random.range(1500, 4000), random);
  } else if (material == kCloth) {
    add_noise_burst(layer.out, 0, body_peak * random.range(0.15, 0.4), random.range(500, 1600), 0.5,
                    0.006, random.range(0.02, 0.06), random);
  } else if (random.chance(0.3)) {
    Signal rattle(layer.out.size(), 0.0);
    add_rattle(rattle, modes, contact, random);
    mix(layer.out, rattle, body_peak);
  }
}

namespace {

/// One contact of a shoe with the ground.
void add_shoe(Layer& layer, double at, double gain, const std::vector<Mode>& ground, bool heel) {
  Random& random = layer.random;
  const int material = layer.recipe.material_id;
  const double hard = is_soft(material) ? 0.35 : 1.0;
  const double contact = (heel ? 2.2e-3 : 3.5e-3) * random.range(0.7, 1.5) *
                         std::pow(10.0, -0.7 * (layer.intensity() - 0.5)) / hard;
  const double thump = layer.by_size(150, 70) * random.range(0.85, 1.15);
  add_blow(layer.out, at, gain * (heel ? 0.9 : 0.45),
           {{thump, random.range(30, 55), 1.0}, {thump * 2.3, random.range(60, 100), 0.5}}, 0,
           random);
  add_blow(layer.out, at, gain * random.range(0.7, 1.3), ground, contact * 0.35, random);
  add_noise_burst(layer.out, at, gain * random.range(0.35, 0.7) * hard, 0.9 / contact, 0.6,
                  contact * 0.2, heel ? random.range(0.004, 0.01) : random.range(0.008, 0.025),
                  random);
  if (material == kEarth) {
    add_grains(layer.out, at + 40, gain * 0.9, random.range(400, 1200), random.range(0.03, 0.09),
               layer.by_size(4500, 1800), random);
  }
}

}  // namespace

void add_footstep(Layer& layer) {
  Random& random = layer.random;
  const auto ground = draw_modes(layer.recipe.material_id, 0.35 + 0.5 * layer.size(),
                                 random.range(1.3, 2.4), random);
  // Faster walkers roll the foot faster: 150 ms from heel to toe at a stroll, 60 ms at a run.
  const double roll_s = (0.15 - 0.08 * layer.intensity()) * random.range(0.85, 1.2);
  add_shoe(layer, 0, 1.0, ground, true);
  add_shoe(layer, roll_s * kRate, random.range(0.3, 0.65), ground, false);
  if (random.chance(0.5)) {  // The sole drags as the foot settles.
    add_noise_burst(layer.out, roll_s * 0.4 * kRate, random.range(0.02, 0.08),
                    random.range(1200, 4000), 0.6, roll_s * 0.4, random.range(0.02, 0.05), random);
  }
}

void add_bell(Layer& layer) {
  // Partials of a tuned church bell (Rossing, "The Science of Sound"); small bells keep fewer.
  static constexpr std::array<double, 11> kChurch{0.5,  1.0,  1.19, 1.5,  2.0, 2.51,
                                                  2.66, 3.01, 4.17, 5.43, 6.79};
  static constexpr std::array<double, 6> kTube{1.0, 2.76, 5.40, 8.93, 13.34, 18.64};
  Random& random = layer.random;
  const bool church = layer.size() > 0.35 || random.chance(0.4);
  const double prime = layer.by_size(2200, 240) * random.range(0.85, 1.18);
  const double slowest = layer.by_size(2.2, 0.5) * random.range(0.8, 1.4);
  const double bright = 0.35 + 0.5 * (1 - layer.intensity());
  std::vector<Mode> modes;
  for (std::size_t i = 0; i < (church ? kChurch.size() : kTube.size()); ++i) {
    const double ratio = (church ? kChurch[i] : kTube[i]) * (1 + 0.006 * random.noise());
    const double f = prime * ratio;
    if (f > 16000) continue;
    const double decay = slowest * (0.5 + std::pow(ratio, 1.1)) * random.range(0.8, 1.25);
    const double gain = std::pow(ratio + 0.5, -bright) * random.range(0.4, 1.0);
    // No bell is perfectly round: every partial is a pair that beats.
    const double split = random.log_range(0.3, 3.5);
    modes.push_back({f, decay, gain});
    modes.push_back({f + split, decay * random.range(0.9, 1.1), gain * random.range(0.2, 0.7)});
  }
  add_blow(layer.out, 0, 1.0, modes, 0.2e-3 * (1.4 - layer.intensity()), random);
  const double strike = 2.0 * random.range(0.3, 0.8) * (0.4 + 0.6 * layer.intensity());
  add_noise_burst(layer.out, 0, strike, random.range(2500, 6000), 0.8, 0.0003,
                  random.range(0.002, 0.006), random);
  add_blow(layer.out, 0, strike * 0.5,
           {{prime * random.range(7.0, 9.0), 60, 1.0}, {prime * random.range(10.0, 12.0), 90, 0.7}},
           0, random);
}

void add_explosion(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  // Friedlander's wave: a jump and a decay through zero.
  const double positive_s = layer.by_size(0.0025, 0.014) * random.range(0.8, 1.25);
  for (std::size_t i = 0; i < out.size() && static_cast<double>(i) < 8 * positive_s * kRate; ++i) {
    const double t = static_cast<double>(i) / (positive_s * kRate);
    out[i] += 3.0 * (1 - t) * std::exp(-t);
  }
  add_noise_burst(out, 0, 1.2 + layer.intensity(), layer.by_size(1800, 500), 0.4, 0.0002,
                  layer.by_size(0.02, 0.08) * random.range(0.8, 1.4), random);
  const double rumble_s = layer.by_size(0.18, 0.6) * random.range(0.8, 1.4);
  const double cutoff = layer.by_size(600, 160) * (0.7 + 0.6 * layer.intensity());
  OnePole first(cutoff), second(cutoff);
  const Signal swell = smooth_noise(out.size(), 0.07, random);
  Signal rumble(out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / (rumble_s * kRate);
    if (i % 64 == 0) {
      first.set(cutoff * (0.15 + std::exp(-1.5 * t)));
      second.set(2 * cutoff * (0.15 + std::exp(-1.5 * t)));
    }
    rumble[i] = second.low(first.low(random.noise())) * std::exp(-t) * (1 - std::exp(-40 * t)) *
                (1 + 0.5 * swell[i]);
  }
  const double body = random.range(0.8, 1.6) * 12 * std::sqrt(200.0 / cutoff);
  mix(out, rumble, body);
  for (double& x : out) x = std::tanh(0.9 * x);
  if (random.chance(0.6)) {
    add_grains(out, random.range(0.08, 0.25) * kRate, random.range(0.05, 0.2),
               random.range(30, 120), random.range(0.15, 0.4), random.range(900, 3000), random);
  }
}

}  // namespace qingyin::training
