#include "training/synthesis/modes.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace qingyin::training {
namespace {

constexpr std::array<MaterialLaw, 9> kLaws{{
    {60, 260, 30, 55, 0.06, 0.12, 3.0e-3, 0.15, 5},        // none: rubber, a dull solid
    {120, 850, 14, 30, 0.006, 0.014, 0.6e-3, 0.25, 14},    // wood
    {180, 2400, 1.2, 5.0, 1e-4, 7e-4, 0.3e-3, 0.2, 24},    // metal
    {900, 4200, 4.5, 10, 6e-4, 2e-3, 0.16e-3, 0.15, 18},   // glass
    {480, 2100, 14, 26, 1.5e-3, 4e-3, 0.28e-3, 0.25, 16},  // ceramic
    {330, 1700, 50, 100, 0.02, 0.045, 0.45e-3, 0.6, 12},   // plastic
    {900, 4200, 110, 220, 0.008, 0.02, 0.18e-3, 1.2, 20},  // stone
    {42, 110, 55, 95, 0.12, 0.3, 5.0e-3, 0.3, 4},          // earth
    {45, 120, 60, 110, 0.15, 0.35, 9.0e-3, 0.1, 3},        // cloth
}};

double shell_ratio(double n) { return n * (n * n - 1) / std::sqrt(n * n + 1) / 2.683; }

double bar_ratio(double n) { return std::pow((2 * n + 1) / 3.0, 2); }

double plate_ratio(int index, double aspect) {
  const int m = 1 + index % 5;
  const int k = 1 + index / 5;
  return (m * m + aspect * k * k) / (1 + aspect);
}

/// Circumferential modes n = 2, 3, ..., and over each one the modes with rings around the body.
double vessel_ratio(int index, double rings) {
  return shell_ratio(2 + index / 3) * (1 + (index % 3) * rings);
}

enum class Body { kBar, kPlate, kVessel, kLump };

Body draw_body(int material, Random& random) {
  const double u = random.uniform();
  switch (material) {
    case kWood:
      return Body::kBar;
    case kMetal:
      return u < 0.45 ? Body::kPlate : u < 0.75 ? Body::kVessel : Body::kBar;
    case kGlass:
    case kCeramic:
      return u < 0.8 ? Body::kVessel : Body::kPlate;
    case kPlastic:
      return Body::kPlate;
    default:
      return Body::kLump;
  }
}

double ratio_of(Body body, int index, double shape, Random& random) {
  const double n = index + 1;
  const double unevenness = random.uniform();
  switch (body) {
    case Body::kBar:
      // Bending modes with torsional ones between them.
      return index % 3 == 2 ? bar_ratio(n) * (0.7 + 0.2 * unevenness) : std::pow(bar_ratio(n), 0.8);
    case Body::kPlate:
      return plate_ratio(index, shape);
    case Body::kVessel:
      return vessel_ratio(index, 0.15 + 0.2 * shape + 0.1 * unevenness);
    case Body::kLump:
      break;
  }
  return std::pow(n, 0.75) * (0.85 + 0.35 * unevenness);
}

/// Four resonators side by side, which the compiler turns into vectors.
constexpr std::size_t kSide = 4;

struct Quad {
  std::array<double, kSide> c1{}, c2{}, y1{}, y2{};

  void set(std::size_t k, const Mode& mode) {
    const double r = std::exp(-mode.decay_per_s / kRate);
    c1[k] = 2 * r * std::cos(2 * kPi * mode.frequency_hz / kRate);
    c2[k] = -r * r;
  }

  double step(const std::array<double, kSide>& in) {
    std::array<double, kSide> y;
    for (std::size_t k = 0; k < kSide; ++k) y[k] = in[k] + c1[k] * y1[k] + c2[k] * y2[k];
    y2 = y1;
    y1 = y;
    return (y[0] + y[1]) + (y[2] + y[3]);
  }
};

/// Lets four modes ring, each until it is 12 nepers down.
void ring(Signal& out, std::size_t first, std::span<const Mode> modes,
          std::span<const double> amplitudes) {
  constexpr std::size_t kBlock = 256;
  Quad quad;
  std::array<std::size_t, kSide> ends{};
  for (std::size_t k = 0; k < modes.size(); ++k) {
    const Mode& mode = modes[k];
    quad.set(k, mode);
    const double theta = 2 * kPi * mode.frequency_hz / kRate;
    quad.y2[k] = -amplitudes[k] * std::sin(theta) * std::exp(mode.decay_per_s / kRate);
    ends[k] = first + static_cast<std::size_t>(12.0 / mode.decay_per_s * kRate) + 1;
  }
  const std::size_t last = std::min(out.size(), *std::max_element(ends.begin(), ends.end()));
  for (std::size_t block = first; block < last; block += kBlock) {
    for (std::size_t k = 0; k < kSide; ++k) {
      if (block > ends[k]) quad.y1[k] = quad.y2[k] = 0;
    }
    const std::size_t stop = std::min(last, block + kBlock);
    for (std::size_t i = block; i < stop; ++i) out[i] += quad.step({});
  }
}

}  // namespace

const MaterialLaw& law_of(int material) { return kLaws.at(static_cast<std::size_t>(material)); }

bool is_soft(int material) { return material == kEarth || material == kCloth; }

std::vector<Mode> draw_modes(int material, double size, double damping, Random& random) {
  const MaterialLaw& law = law_of(material);
  const double spread = random.log_range(0.85, 1.18);
  const double base = law.high_hz * std::pow(law.low_hz / law.high_hz, size) * spread;
  const double support =
      random.log_range(law.support_low, law.support_high) * damping * (1.35 - 0.7 * size);
  const double loss = random.log_range(law.loss_low, law.loss_high) * damping;
  const Body body = draw_body(material, random);
  const double shape = random.range(0.35, 2.0);
  const double tilt = random.range(0.0, 0.5);
  const double place = random.range(0.15, 0.5);  // of the blow, along the body
  std::vector<Mode> modes;
  for (int i = 0; i < law.modes; ++i) {
    const double jitter = 1.0 + 0.02 * random.noise();
    const double f = base * ratio_of(body, i, shape, random) * jitter;
    const double uneven_decay = random.log_range(0.75, 1.35);
    const double uneven_gain = random.range(0.4, 1.2);
    if (f > 17000 || f < 20) continue;
    const double strike = std::abs(std::sin(kPi * (i + 1) * place)) + 0.1;
    modes.push_back({f, (support + kPi * loss * f) * uneven_decay,
                     strike * std::pow(f / base, -tilt) * uneven_gain});
  }
  return modes;
}

void add_blow(Signal& out, double at, double gain, const std::vector<Mode>& modes, double contact_s,
              Random& random) {
  const auto first = static_cast<std::size_t>(std::max(0.0, at));
  if (first >= out.size()) return;
  std::vector<double> amplitudes;
  for (const Mode& mode : modes) {
    const double x = mode.frequency_hz * contact_s;
    amplitudes.push_back(gain * mode.gain / (1.0 + 2.0 * x * x) * random.range(0.8, 1.2));
  }
  for (std::size_t k = 0; k < modes.size(); k += kSide) {
    const std::size_t count = std::min(kSide, modes.size() - k);
    ring(out, first, std::span(modes).subspan(k, count), std::span(amplitudes).subspan(k, count));
  }
}

Signal drive_modes(const Signal& force, const std::vector<Mode>& modes) {
  Signal out(force.size(), 0.0);
  for (std::size_t first = 0; first < modes.size(); first += kSide) {
    Quad quad;
    std::array<double, kSide> gain{};
    for (std::size_t k = 0; k < std::min(kSide, modes.size() - first); ++k) {
      const Mode& mode = modes[first + k];
      quad.set(k, mode);
      const double r = std::exp(-mode.decay_per_s / kRate);
      gain[k] = mode.gain * (1 - r) * 2 * std::sin(2 * kPi * mode.frequency_hz / kRate);
    }
    for (std::size_t i = 0; i < force.size(); ++i) {
      std::array<double, kSide> in;  // with an offset that keeps the states from denormals
      for (std::size_t k = 0; k < kSide; ++k) in[k] = gain[k] * force[i] + 1e-30;
      out[i] += quad.step(in);
    }
  }
  return out;
}

double contact_time(int material, double size, double intensity, Random& random) {
  const double speed = std::pow(10.0, 1.5 * (intensity - 0.5));
  return law_of(material).contact_s * (0.6 + 0.8 * size) * std::pow(speed, -0.45) *
         random.log_range(0.75, 1.35);
}

}  // namespace qingyin::training
