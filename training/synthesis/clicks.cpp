#include <algorithm>
#include <cmath>

#include "training/synthesis/layers.h"
#include "training/synthesis/modes.h"

namespace qingyin::training {
namespace {

/// One half of a click: the cap meets the dome or spring, and 1 to 5 ms later the floor; the case
/// answers below.
void add_stroke(Layer& layer, double at, double gain, const std::vector<Mode>& cap,
                double travel_s) {
  Random& random = layer.random;
  const double force = layer.intensity();
  const double contact = 0.0004 * std::pow(10.0, -0.8 * (force - 0.5));
  const double centre = layer.by_size(4800, 1900) * random.range(0.85, 1.2);
  const double first = random.range(0.3, 0.8);
  add_blow(layer.out, at, 0.4 * first * gain, cap, contact, random);
  add_noise_burst(layer.out, at, first * gain, centre * 1.3, 0.9, 0.0001, 0.0014, random);
  const double floor = at + travel_s * kRate;
  add_blow(layer.out, floor, 0.4 * gain, cap, contact, random);
  add_noise_burst(layer.out, floor, gain * (0.5 + 0.7 * force), centre, 0.8, 0.0001,
                  random.range(0.0015, 0.004), random);
  const double housing = layer.by_size(900, 240) * random.range(0.85, 1.2);
  add_blow(layer.out, floor, gain * random.range(0.2, 0.6) * (0.3 + layer.size()),
           {{housing, random.range(130, 260), 1.0}, {housing * 2.3, random.range(200, 400), 0.5}},
           0.0002, random);
}

}  // namespace

void add_click(Layer& layer) {
  Random& random = layer.random;
  const auto cap =
      draw_modes(layer.recipe.material_id, 0.25 * layer.size(),
                 random.range(1.5, 3.0) * (layer.recipe.material_id == kMetal ? 12 : 1), random);
  const double travel_s = layer.by_size(0.0012, 0.006) * random.range(0.7, 1.4);
  add_stroke(layer, 0, 1.0, cap, travel_s);
  // Keys and buttons come back up; a rocker switch stays where it is.
  if (random.chance(0.25)) return;
  const double held_s = random.range(0.055, 0.14) * (1.2 - 0.4 * layer.intensity());
  add_stroke(layer, held_s * kRate, random.range(0.25, 0.6), cap, 0.6 * travel_s);
}

}  // namespace qingyin::training
