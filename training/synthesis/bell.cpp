#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "training/synthesis/contact_layers.h"
#include "training/synthesis/layers.h"

namespace qingyin::training {
namespace {

// Partials over the prime: of a tuned church bell and a handbell (Rossing, "The Science of Sound"),
// of a tube and of a chime bar (Fletcher and Rossing, "The Physics of Musical Instruments").
constexpr std::array<double, 13> kChurch{0.5,  1.0,  1.19, 1.5,  2.0,  2.51, 2.66,
                                         3.01, 4.17, 5.43, 6.79, 8.21, 9.70};
constexpr std::array<double, 9> kHandbell{1.0, 2.95, 3.1, 5.4, 6.0, 8.1, 9.6, 12.4, 15.2};
constexpr std::array<double, 7> kTube{1.0, 2.76, 5.40, 8.93, 13.34, 18.64, 24.8};

std::span<const double> draw_partials(double size, Random& random) {
  const double u = random.uniform();
  if (size > 0.6 || u < 0.35) return kChurch;
  if (u < 0.75) return kHandbell;
  return kTube;
}

/// No bell is perfectly round: every partial is a pair that beats. High partials die sooner.
std::vector<Mode> draw_bell(std::span<const double> partials, double prime, double slowest,
                            double bright, Random& random) {
  const double steep = random.range(0.9, 1.35);
  const double detune = random.range(0.002, 0.008);
  std::vector<Mode> modes;
  for (const double partial : partials) {
    const double ratio = partial * (1 + detune * random.noise());
    const double f = prime * ratio;
    const double uneven = random.log_range(0.75, 1.3), level = random.range(0.4, 1.0);
    const double split = random.log_range(0.25, 3.0);
    const double second_decay = random.range(0.9, 1.1), second_level = random.range(0.2, 0.8);
    if (f > 16000) continue;
    const double decay = slowest * (0.4 + std::pow(ratio, steep)) * uneven;
    const double gain = std::pow(ratio + 0.5, -bright) * level;
    modes.push_back({f, decay, gain});
    modes.push_back({f + split, decay * second_decay, gain * second_level});
  }
  return modes;
}

}  // namespace

void add_bell(Layer& layer) {
  Random& random = layer.random;
  const auto partials = draw_partials(layer.size(), random);
  const double prime = layer.by_size(2300, 230) * random.log_range(0.85, 1.18);
  const double slowest = layer.by_size(2.6, 0.45) * random.log_range(0.75, 1.5);
  const double bright = 0.25 + 0.7 * (1 - layer.intensity());
  const auto modes = draw_bell(partials, prime, slowest, bright, random);
  // Iron clappers are hard, leather and wood are not.
  const double clapper = random.log_range(0.6, 3.0);
  const double contact = 0.16e-3 * (1.5 - layer.intensity()) * clapper * (0.7 + 0.8 * layer.size());
  add_blow(layer.out, 0, 1.0, modes, contact, random);
  const double strike = random.range(0.5, 1.4) * (0.3 + 0.8 * layer.intensity()) / clapper;
  add_transient(layer.out, 0, strike, 2 * contact, random);
  // The clapper itself, and the frame that carries the bell.
  const double head_hz = prime * random.range(4.0, 6.5);
  const std::vector<Mode> head{{head_hz, 90, 1.0}, {1.62 * head_hz, 130, 0.7}};
  add_blow(layer.out, 0, 0.5 * strike, head, contact, random);
  const double frame_hz = layer.by_size(240, 80) * random.log_range(0.8, 1.25);
  const double frame = 0.4 * random.uniform();
  add_thump(layer.out, 0, frame, frame_hz, random.range(35, 70));
  if (random.chance(0.2)) {
    const double again = random.range(0.07, 0.25) * kRate, gain = random.range(0.1, 0.35);
    add_blow(layer.out, again, gain, modes, 1.3 * contact, random);
  }
}

}  // namespace qingyin::training
