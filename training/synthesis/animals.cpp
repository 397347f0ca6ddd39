#include <algorithm>
#include <cmath>

#include "training/synthesis/layers.h"
#include "training/synthesis/voice.h"

namespace qingyin::training {
namespace {

/// Resonances of a tube of the given length, closed at the folds, its mouth open by 0 to 1: an
/// opening mouth raises the first most.
std::array<double, 4> tract_of(double length_m, double open) {
  const double quarter = 343 / (4 * length_m);
  return {quarter * (0.55 + 0.75 * open), 3 * quarter * (0.72 + 0.38 * open),
          5 * quarter * (0.92 + 0.1 * open), 7 * quarter};
}

double bump(double u) { return u <= 0 || u >= 1 ? 0 : std::sin(kPi * u); }

}  // namespace

/// A drawn-out call: a kitten's meow where it is small, a sheep's bleat in the middle, a cow's moo
/// where it is large.
void add_animal(Layer& layer) {
  Random& random = layer.random;
  const double force = layer.intensity();
  const double pitch = layer.by_size(720, 88) * (0.88 + 0.24 * force) * random.range(0.88, 1.14);
  const double tract_m = layer.by_size(0.062, 0.36) * random.range(0.92, 1.08);
  const double length_s = layer.by_size(0.45, 1.0) * random.range(0.8, 1.2);
  const double peak = random.range(0.25, 0.55), sweep = random.range(0.12, 0.4);
  const double fall = random.range(0.1, 0.35);
  const bool bleats = layer.size() > 0.25 && layer.size() < 0.7 && random.chance(0.5);
  const double shake_hz = bleats ? random.range(7, 12) : random.range(4, 7);
  const double shake = bleats ? random.range(0.5, 0.8) : random.range(0, 0.12);
  const double tilt = 0.25 + 0.6 * force, breath = random.range(0.01, 0.05);
  const double attack_s = random.range(0.02, 0.07);
  const auto at = [=](double t) {
    const double u = t / length_s;
    const double arm = u < peak ? u / peak : (1 - u) / (1 - peak);
    const double open = std::clamp(1.4 * arm, 0.0, 1.0);
    const double swing = std::sin(2 * kPi * shake_hz * t);
    const double level =
        u >= 1 ? 0 : std::min(1.0, 0.03 + t / attack_s) * std::pow(bump(0.06 + 0.94 * u), 0.7);
    return VoiceState{
        .pitch_hz = pitch * (1 + sweep * (arm - 0.5) - fall * u) * (1 + 0.06 * shake * swing),
        .level = level * (0.45 + 0.55 * open) * (1 - 0.45 * shake * (1 + swing)),
        .formant_hz = tract_of(tract_m, open),
        .formant_gain = {1.0, 0.3 + tilt, tilt * 0.8, tilt * 0.5},
        .breath = breath};
  };
  const auto length = std::min(layer.out.size(), static_cast<std::size_t>(length_s * kRate));
  mix(layer.out, sing(length, {0.34 - 0.2 * force, 0.012 + 0.03 * random.uniform(), 7}, at, random),
      1.0);
}

/// A dog's bark: a short explosive call, hoarse, its pitch thrown up and dropped.
void add_bark(Layer& layer) {
  Random& random = layer.random;
  const double force = layer.intensity();
  const double pitch = layer.by_size(780, 150) * (0.85 + 0.3 * force) * random.range(0.88, 1.14);
  const double tract_m = layer.by_size(0.075, 0.23) * random.range(0.92, 1.08);
  const double length_s = layer.by_size(0.13, 0.26) * random.range(0.85, 1.25);
  const double jump = random.range(0.25, 0.6), tilt = 0.25 + 0.65 * force;
  const double hoarse = random.range(0.1, 0.35);
  const auto at = [=](double t) {
    const double u = t / length_s;
    const double open = bump(std::min(1.0, 0.18 + 0.8 * u));
    const double level =
        std::min(1.0, 0.05 + t / 0.009) * std::exp(-2.2 * u) * (u < 1 ? 1 - u * u : 0);
    return VoiceState{.pitch_hz = pitch * (1 + jump * (bump(0.25 + 0.75 * u) - 0.6)),
                      .level = level,
                      .formant_hz = tract_of(tract_m, open),
                      .formant_gain = {1.0, 0.4 + tilt, tilt, 0.6 * tilt},
                      .breath = hoarse * (0.35 + 0.9 * u)};
  };
  const auto length = std::min(layer.out.size(), static_cast<std::size_t>(length_s * kRate));
  const Signal call = sing(length, {0.3 - 0.18 * force, 0.05 + 0.2 * hoarse, 4.5}, at, random);
  mix(layer.out, call, 1.0);
  if (random.chance(0.3)) {  // Some say it twice, the second time more softly.
    const auto late = static_cast<std::size_t>((length_s + random.range(0.02, 0.09)) * kRate);
    const double gain = random.range(0.25, 0.7);
    for (std::size_t i = 0; i + late < layer.out.size() && i < call.size(); ++i) {
      layer.out[i + late] += gain * call[i];
    }
  }
}

namespace {

/// One syllable of a bird: a syrinx gives nearly one sine, whose pitch bends and may trill.
struct Syllable {
  double hz, bend, arch;  // octaves from end to end, and of the arch between
  double length_s, trill_hz, trill, harmonics;
};

void add_syllable(Signal& out, double at, double gain, const Syllable& s) {
  const auto first = static_cast<std::size_t>(at);
  const auto length = static_cast<std::size_t>(s.length_s * kRate);
  double phase = 0;
  for (std::size_t i = first; i < std::min(out.size(), first + length); ++i) {
    const double u = static_cast<double>(i - first) / static_cast<double>(length);
    const double swing = std::sin(2 * kPi * s.trill_hz * u * s.length_s);
    const double octave = s.bend * (u - 0.5) + s.arch * (bump(u) - 0.6) + 0.2 * s.trill * swing;
    phase += std::min(16000.0, s.hz * std::exp2(octave)) / kRate;
    const double level = std::pow(bump(u), 1.3) * (1 - 0.4 * s.trill * (1 + swing));
    const double x = 2 * kPi * phase;
    out[i] +=
        gain * level * (std::sin(x) + s.harmonics * (std::sin(2 * x) + 0.5 * std::sin(3 * x)));
  }
}

}  // namespace

/// A bird's call of one to six syllables that are alike, as most calls are.
void add_chirp(Layer& layer) {
  Random& random = layer.random;
  const double force = layer.intensity();
  Syllable syllable{
      .hz = layer.by_size(5200, 950) * (0.85 + 0.3 * force) * random.range(0.88, 1.14),
      .bend = random.range(-0.8, 0.8),
      .arch = random.range(-0.4, 0.7),
      .length_s = layer.by_size(0.05, 0.13) * random.range(0.6, 1.6),
      .trill_hz = random.range(22, 60),
      .trill = random.chance(0.35) ? random.range(0.3, 0.9) : 0.0,
      .harmonics = layer.by_size(0.04, 0.3) * (0.3 + 1.4 * force)};
  const int count = random.integer(1, 6);
  const double gap_s = layer.by_size(0.035, 0.09) * random.range(0.6, 1.8);
  const double climb = random.range(-0.06, 0.06);
  double t = 0;
  for (int i = 0; i < count && t < 0.95 * kRate; ++i) {
    add_syllable(layer.out, t, random.range(0.6, 1.0), syllable);
    t += (syllable.length_s + gap_s * random.range(0.8, 1.25)) * kRate;
    syllable.hz *= std::exp2(climb + 0.03 * random.noise());
    syllable.length_s *= random.range(0.85, 1.15);
    if (random.chance(0.25)) syllable.bend = random.range(-0.8, 0.8);
  }
}

}  // namespace qingyin::training
