#include "training/synthesis/room.h"

#include <array>
#include <cmath>

namespace qingyin::training {

void add_room(Signal& signal, double reverberation_s, double wet, Random& random) {
  const Signal dry = signal;
  OnePole wall(random.range(2500, 7000));
  Signal dull(dry.size());
  for (std::size_t i = 0; i < dry.size(); ++i) dull[i] = wall.low(dry[i]);
  double delay_s = random.range(0.004, 0.012);
  for (int k = 0; k < 6; ++k) {
    const auto lag = static_cast<std::size_t>(delay_s * kRate);
    const double gain =
        wet * random.range(0.5, 1.2) * (random.chance(0.5) ? 1 : -1) * std::pow(0.8, k);
    for (std::size_t i = lag; i < dry.size(); ++i) signal[i] += gain * dull[i - lag];
    delay_s += random.range(0.002, 0.009);
  }
  std::array<Signal, 4> lines;
  std::array<double, 4> keep{};
  std::array<std::size_t, 4> place{};
  std::array<OnePole, 4> damp{OnePole(6500), OnePole(6000), OnePole(5200), OnePole(5600)};
  for (std::size_t k = 0; k < 4; ++k) {
    const double length_s = random.range(0.019, 0.024) * (1 + 0.37 * static_cast<double>(k));
    lines[k].assign(static_cast<std::size_t>(length_s * kRate), 0.0);
    keep[k] = 0.5 * std::pow(10.0, -3.0 * length_s / reverberation_s);
  }
  for (std::size_t i = 0; i < dry.size(); ++i) {
    std::array<double, 4> y{};
    for (std::size_t k = 0; k < 4; ++k) y[k] = lines[k][place[k]];
    signal[i] += wet * 0.6 * (y[0] - y[1] + y[2] - y[3]);
    const double a = y[0] + y[1], b = y[0] - y[1], c = y[2] + y[3], d = y[2] - y[3];
    const std::array<double, 4> mixed{a + c, b + d, a - c, b - d};
    for (std::size_t k = 0; k < 4; ++k) {
      lines[k][place[k]] = damp[k].low(keep[k] * mixed[k] + dull[i]);
      place[k] = (place[k] + 1) % lines[k].size();
    }
  }
}

}  // namespace qingyin::training
