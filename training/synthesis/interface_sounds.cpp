#include <algorithm>
#include <array>
#include <cmath>

#include "training/synthesis/layers.h"

namespace qingyin::training {
namespace {

/// One note of two sines, the second turning the phase of the first (Chowning, "The synthesis of
/// complex audio spectra by means of frequency modulation", JAES 21(7), 1973).
struct Note {
  double hz, bend, ratio, index, decay_s;
};

void add_note(Signal& out, double at, double gain, const Note& note) {
  const auto first = static_cast<std::size_t>(at);
  const auto length = static_cast<std::size_t>(9 * note.decay_s * kRate);
  double phase = 0;
  for (std::size_t i = first; i < std::min(out.size(), first + length); ++i) {
    const double t = static_cast<double>(i - first) / kRate;
    const double level = std::exp(-t / note.decay_s) * std::min(1.0, t / 0.0012);
    phase += note.hz * std::pow(note.bend, std::min(1.0, t / 0.08)) / kRate;
    const double turn = note.index * level * std::sin(2 * kPi * note.ratio * phase);
    out[i] += gain * level * std::sin(2 * kPi * phase + turn);
  }
}

}  // namespace

void add_blip(Layer& layer) {
  static constexpr std::array<double, 7> kSteps{2, 3, 4, 5, 7, 9, 12};  // semitones
  static constexpr std::array<double, 5> kRatios{0.5, 1, 2, 3, 3.5};
  Random& random = layer.random;
  Note note{.hz = layer.by_size(2100, 330) * random.range(0.88, 1.14),
            .bend = random.chance(0.4) ? random.log_range(0.6, 1.7) : 1.0,
            .ratio = kRatios.at(static_cast<std::size_t>(random.integer(0, 4))),
            .index = random.range(0.2, 0.9) * (0.15 + 2.0 * layer.intensity()),
            .decay_s = layer.by_size(0.022, 0.09) * random.range(0.7, 1.6)};
  const int notes = random.integer(1, 3);
  const double wait_s = random.range(0.055, 0.11);
  const bool falls = random.chance(0.4);
  for (int i = 0; i < notes; ++i) {
    add_note(layer.out, i * wait_s * kRate, std::pow(0.92, i), note);
    const double step = kSteps.at(static_cast<std::size_t>(random.integer(0, 6)));
    note.hz *= std::pow(2.0, (falls ? -step : step) / 12);
  }
  // The tick that makes it feel like something was touched.
  add_noise_burst(layer.out, 0, random.range(0.05, 0.35) * (0.4 + layer.intensity()),
                  layer.by_size(6500, 3000), 0.8, 0.0001, 0.0015, random);
}

namespace {

/// A sine and its octave, turned on as a vector.
struct Oscillator {
  double c = 1, s = 0, turn_c = 1, turn_s = 0, detune = 1;

  static Oscillator at(double turns, double detune) {
    return {std::cos(2 * kPi * turns), std::sin(2 * kPi * turns), 1, 0, detune};
  }
  void set(double hz) {
    turn_c = std::cos(2 * kPi * hz * detune / kRate);
    turn_s = std::sin(2 * kPi * hz * detune / kRate);
  }
  double step() {
    const double next = c * turn_c - s * turn_s;
    s = c * turn_s + s * turn_c;
    c = next;
    return s + 0.7 * s * c;
  }
};

}  // namespace

void add_riser(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const auto extent = static_cast<double>(layer.extent());
  const double low = layer.by_size(420, 130) * random.range(0.85, 1.2);
  const double octaves = 2.0 + 1.8 * layer.intensity() + random.range(-0.3, 0.3);
  const double q = random.range(0.9, 3.0), tone = random.range(0.0, 0.7);
  const double growth = random.range(2.2, 3.2), bend = random.range(0.8, 1.6);
  const double pulse_hz = random.chance(0.35) ? random.range(5, 14) : 0;
  std::array<Oscillator, 4> chord;
  for (Oscillator& o : chord) {
    const double turns = random.uniform();
    o = Oscillator::at(turns, 1 + 0.012 * random.noise());
  }
  StateVariable band(low, q), shine(4 * low, 1.2);
  double hz = low, beat = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double u = std::min(1.0, static_cast<double>(i) / extent);
    if (i % 16 == 0) {
      hz = low * std::exp2(octaves * std::pow(u, bend));
      band.set(std::min(14000.0, hz), q);
      shine.set(std::min(16000.0, 3 * hz), 1.2);
      for (Oscillator& o : chord) o.set(0.5 * hz);
    }
    const double noise = random.noise();
    band.step(noise);
    shine.step(noise);
    double tones = 0;
    for (Oscillator& o : chord) tones += o.step();
    beat += pulse_hz * (0.5 + u) / kRate;
    const double flutter = pulse_hz > 0 ? 0.65 + 0.35 * std::cos(2 * kPi * beat) : 1;
    out[i] += std::exp(growth * (u - 1)) * flutter *
              (band.band() * std::sqrt(q * 2000 / hz) + 0.25 * shine.band() + 0.2 * tone * tones);
  }
}

}  // namespace qingyin::training
