#include "training/squeak.h"

#include <algorithm>
#include <cmath>

#include "training/synthesis/filters.h"
#include "training/synthesis/layers.h"
#include "training/synthesis/room.h"

namespace qingyin::training {
namespace {

double by_size(double size, double small, double large) {
  return small * std::pow(large / small, size);
}

/// Rises fast, bulges, and stops at once, as friction that catches and lets go.
double envelope(double t, double length_s, double rise_s) {
  if (t >= length_s) return std::exp(-(t - length_s) / 0.008);
  return (1 - std::exp(-t / rise_s)) * (0.55 + 0.45 * std::sin(kPi * std::min(1.0, t / length_s)));
}

/// The slips: harmonics that fall with their number, on a gliding and trembling pitch.
Signal slips(std::size_t length, double size, double intensity, double length_s, Random& random) {
  Signal out(length);
  const double pitch = by_size(size, 2300, 620) * random.range(0.85, 1.18);
  const double glide = random.range(-0.25, 0.45), arch = random.range(0.0, 0.3);
  const double tremble_hz = random.range(24, 60);
  const double rough = (0.15 + 0.5 * intensity) * random.range(0.7, 1.2);
  const double slope = 1.6 - 0.8 * intensity;
  const Signal wander = smooth_noise(length, 0.02, random);
  double phase = random.uniform(), tremble = random.uniform();
  for (std::size_t i = 0; i < length; ++i) {
    const double t = static_cast<double>(i) / kRate, u = std::min(1.0, t / length_s);
    const double bend = glide * u + arch * std::sin(kPi * u) + 0.03 * wander[i];
    const double hz = pitch * std::exp(bend);
    phase += hz / kRate;
    tremble += tremble_hz * (1 + 0.2 * wander[i]) / kRate;
    double sum = 0;
    for (int n = 1; n <= 12 && n * hz < 16000; ++n) {
      sum += std::sin(2 * kPi * n * phase) * std::pow(n, -slope);
    }
    out[i] = sum * (1 - rough * (0.5 + 0.5 * std::sin(2 * kPi * tremble)));
  }
  return out;
}

/// A small body: two resonances that the slips drive, beside the direct sound.
Signal through_body(const Signal& source, double size, Random& random) {
  StateVariable low(by_size(size, 1900, 700) * random.range(0.8, 1.25), random.range(4, 9));
  StateVariable high(by_size(size, 5200, 2600) * random.range(0.8, 1.25), random.range(3, 7));
  Signal out(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    low.step(source[i]);
    high.step(source[i]);
    out[i] = 0.5 * source[i] + 1.2 * low.band() + 0.8 * high.band();
  }
  return out;
}

}  // namespace

BankSound synthesise_squeak(double size, double intensity, std::uint64_t seed, double lead_s,
                            double length_s) {
  constexpr std::size_t kWindow = 2400;
  const auto total = static_cast<std::size_t>(std::llround(length_s * kRate));
  const auto lead = static_cast<std::size_t>(std::llround(lead_s * kRate));
  Random random(seed ^ 0x5C7EAC5C7EACull);
  Random room_random = random.fork();
  const double long_s = (0.14 + 0.22 * random.uniform()) * (0.8 + 0.5 * intensity);
  Signal signal = slips(total - lead, size, intensity, long_s, random);
  signal = through_body(signal, size, random);
  normalise(signal);
  Signal rub(signal.size());
  StateVariable band(by_size(size, 6000, 3000), 0.7);
  for (double& x : rub) {
    band.step(random.noise());
    x = band.band();
  }
  normalise(rub);
  mix(signal, rub, 0.05 + 0.08 * random.uniform());
  const double rise_s = random.range(0.004, 0.012);
  for (std::size_t i = 0; i < signal.size(); ++i) {
    signal[i] *= envelope(static_cast<double>(i) / kRate, long_s, rise_s);
  }
  add_room(signal, draw_room(kScrape, room_random), room_random);
  signal.resize(total - lead);
  double sum = 0, best = 1e-12;
  for (std::size_t i = 0; i < signal.size(); ++i) {
    sum += signal[i] * signal[i];
    if (i >= kWindow) sum -= signal[i - kWindow] * signal[i - kWindow];
    best = std::max(best, sum);
  }
  const double wanted = std::pow(10.0, (-40.0 + 29.0 * intensity) / 20.0);
  const double gain = wanted / std::sqrt(best / kWindow);
  BankSound sound{std::vector<float>(total), static_cast<std::int64_t>(lead)};
  for (std::size_t i = 0; i < signal.size(); ++i) {
    sound.samples[lead + i] = static_cast<float>(std::clamp(gain * signal[i], -0.98, 0.98));
  }
  return sound;
}

}  // namespace qingyin::training
