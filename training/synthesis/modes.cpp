#include "training/synthesis/modes.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace qingyin::training {
namespace {

constexpr std::array<MaterialLaw, 9> kLaws{{
    {90, 700, 40, 90, 4e-6, 1.2e-5, 1.2e-3, 0.6, 10},    // none: a dull solid
    {110, 900, 22, 42, 2.5e-6, 7e-6, 0.7e-3, 0.35, 12},  // wood
    {180, 2200, 2.0, 6.0, 2e-8, 1.2e-7, 0.35e-3, 0.2, 22},
    {700, 3600, 5.5, 11, 6e-8, 2e-7, 0.22e-3, 0.2, 18},
    {420, 2100, 16, 26, 2e-7, 6e-7, 0.3e-3, 0.3, 16},
    {220, 1300, 80, 140, 2e-6, 6e-6, 0.6e-3, 0.7, 10},
    {650, 3200, 90, 190, 8e-7, 3e-6, 0.25e-3, 0.9, 18},
    {45, 130, 45, 80, 8e-5, 2.5e-4, 6e-3, 0.5, 5},
    {50, 160, 55, 95, 1e-4, 3e-4, 9e-3, 0.9, 4},
}};

double shell_ratio(double n) { return n * (n * n - 1) / std::sqrt(n * n + 1) / 2.683; }

double ratio_of(int material, int index, double aspect, Random& random) {
  const double n = index + 1;
  switch (material) {
    case kWood:
    case kPlastic: {
      // A free bar, with torsional and plate modes between its bending modes.
      const double bar = std::pow((2 * n + 1) / 3.0, 2);
      return index % 3 == 2 ? bar * random.range(0.7, 0.9) : std::pow(bar, 0.8);
    }
    case kMetal: {
      const int m = 1 + index % 5;
      const int k = 1 + index / 5;
      return (m * m + aspect * k * k) / (1 + aspect);
    }
    case kGlass:
    case kCeramic:
      // Circumferential modes of a shell, n (n^2 - 1) / sqrt(n^2 + 1) for n = 2, 3, ..., and over
      // each one the modes with rings around the body.
      return shell_ratio(2 + index / 3) * (1 + (index % 3) * random.range(0.25, 0.6));
    default:
      return std::pow(n, 0.75) * random.range(0.85, 1.2);
  }
}

}  // namespace

const MaterialLaw& law_of(int material) { return kLaws.at(static_cast<std::size_t>(material)); }

std::vector<Mode> draw_modes(int material, double size, double damping, Random& random) {
  const MaterialLaw& law = law_of(material);
  const double base =
      law.high_hz * std::pow(law.low_hz / law.high_hz, size) * random.range(0.85, 1.18);
  const double loss = random.log_range(law.loss_low, law.loss_high) * damping * (1.35 - 0.7 * size);
  const double slope = random.log_range(law.slope_low, law.slope_high) * damping;
  const double aspect = random.range(0.35, 2.4);
  const double tilt = random.range(0.0, 0.5);
  std::vector<Mode> modes;
  for (int i = 0; i < law.modes; ++i) {
    const double jitter = 1.0 + 0.03 * random.noise();
    const double f = base * ratio_of(material, i, aspect, random) * jitter;
    if (f > 17000 || f < 20) continue;
    const double strike = std::abs(std::sin(kPi * (i + 1) * random.range(0.15, 0.5))) + 0.1;
    const double decay = (loss + slope * f * f) * random.range(0.75, 1.35);
    modes.push_back({f, decay, strike * std::pow(f / base, -tilt) * random.range(0.4, 1.2)});
  }
  return modes;
}

void add_blow(Signal& out, double at, double gain, const std::vector<Mode>& modes, double contact_s,
              Random& random) {
  const auto first = static_cast<std::size_t>(std::max(0.0, at));
  if (first >= out.size()) return;
  for (const Mode& mode : modes) {
    const double x = mode.frequency_hz * contact_s;
    const double amplitude = gain * mode.gain / (1.0 + 2.0 * x * x) * random.range(0.8, 1.2);
    const double r = std::exp(-mode.decay_per_s / kRate);
    const double theta = 2 * kPi * mode.frequency_hz / kRate;
    const auto ringing = static_cast<std::size_t>(12.0 / mode.decay_per_s * kRate);
    const std::size_t last = std::min(out.size(), first + ringing);
    const double c1 = 2 * r * std::cos(theta), c2 = -r * r;
    double y1 = 0, y2 = -amplitude * std::sin(theta) / r;
    for (std::size_t i = first; i < last; ++i) {
      const double y = c1 * y1 + c2 * y2;
      y2 = y1;
      y1 = y;
      out[i] += y;
    }
  }
}

Signal drive_modes(const Signal& force, const std::vector<Mode>& modes) {
  Signal out(force.size(), 0.0);
  for (const Mode& mode : modes) {
    const double r = std::exp(-mode.decay_per_s / kRate);
    const double theta = 2 * kPi * mode.frequency_hz / kRate;
    const double c1 = 2 * r * std::cos(theta), c2 = -r * r;
    const double b = mode.gain * (1 - r) * 2 * std::sin(theta);
    double y1 = 0, y2 = 0;
    for (std::size_t i = 0; i < force.size(); ++i) {
      const double y = b * force[i] + c1 * y1 + c2 * y2;
      y2 = y1;
      y1 = y;
      out[i] += y;
    }
  }
  return out;
}

double contact_time(int material, double size, double intensity, Random& random) {
  const double speed = std::pow(10.0, 1.5 * (intensity - 0.5));
  return law_of(material).contact_s * (0.6 + 0.8 * size) * std::pow(speed, -0.45) *
         random.range(0.7, 1.4);
}

}  // namespace qingyin::training
