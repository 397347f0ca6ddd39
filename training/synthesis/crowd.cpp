#include <algorithm>
#include <cmath>
#include <vector>

#include "training/synthesis/layers.h"
#include "training/synthesis/voice.h"

namespace qingyin::training {
namespace {

/// Voices are made at a third of the rate: little of speech lies above 8 kHz.
constexpr double kVoiceRate = kRate / 3;

/// First two resonances of vowels in Hz (means of Peterson and Barney, JASA 24, 1952).
constexpr std::array<std::array<double, 2>, 8> kVowels{{{270, 2290},
                                                        {390, 1990},
                                                        {530, 1840},
                                                        {660, 1720},
                                                        {730, 1090},
                                                        {570, 840},
                                                        {300, 870},
                                                        {490, 1350}}};

struct Sound {
  double start_s, length_s, pitch, level, hiss;
  std::array<double, 2> vowel;
};

/// Sounds in an order that no language has: lengths, pitches and vowels are drawn apart.
std::vector<Sound> babble(double length_s, double pitch, Random& random) {
  std::vector<Sound> sounds;
  double t = -random.range(0, 0.5);
  while (t < length_s) {
    const double phrase = random.range(0.6, 2.4);
    for (double within = 0; within < phrase;) {
      const double length = random.range(0.09, 0.3);
      const auto& vowel = kVowels.at(static_cast<std::size_t>(random.integer(0, 7)));
      sounds.push_back({t + within,
                        length,
                        pitch * (1.12 - 0.2 * within / phrase) * random.range(0.9, 1.12),
                        random.range(0.35, 1.0),
                        random.chance(0.4) ? random.range(0.1, 0.5) : 0.03,
                        {vowel[0] * random.range(0.9, 1.1), vowel[1] * random.range(0.9, 1.1)}});
      within += length * random.range(0.85, 1.15);
    }
    t += phrase + random.range(0.1, 0.8);
  }
  return sounds;
}

Signal talker(std::size_t length, double pitch, double effort, Random& random) {
  const std::vector<Sound> sounds = babble(static_cast<double>(length) / kVoiceRate, pitch, random);
  const double tract = random.range(0.9, 1.18);
  std::size_t place = 0;
  std::array<double, 2> vowel = sounds[0].vowel;
  const auto at = [&](double t) {
    while (place + 1 < sounds.size() && sounds[place + 1].start_s <= t) ++place;
    const Sound& now = sounds[place];
    const double u = std::clamp((t - now.start_s) / now.length_s, 0.0, 1.0);
    // The tract moves to its next place in some 40 ms.
    for (std::size_t k = 0; k < 2; ++k) vowel[k] += 0.05 * (now.vowel[k] - vowel[k]);
    return VoiceState{
        .pitch_hz = now.pitch * (1.03 - 0.06 * u),
        .level = now.level * std::sqrt(std::sin(kPi * std::clamp(u, 0.0, 1.0))),
        .formant_hz = {vowel[0] * tract, vowel[1] * tract, 2600 * tract, 3500 * tract},
        .formant_gain = {1.0, 0.55 + 0.6 * effort, 0.3 + 0.5 * effort, 0.2 + 0.4 * effort},
        .breath = 0.02 + now.hiss * (u < 0.25 ? 1 - 4 * u : 0)};
  };
  return sing(length, {0.32 - 0.14 * effort, 0.02, 6, kVoiceRate}, at, random);
}

}  // namespace

void add_murmur(Layer& layer) {
  Random& random = layer.random;
  Signal& out = layer.out;
  const double effort = layer.intensity();
  const double shift_s = 0.9;
  const auto length =
      static_cast<std::size_t>((static_cast<double>(out.size()) / kRate + shift_s) * kVoiceRate) +
      2;
  Signal room(length, 0.0);
  constexpr int kTalkers = 4;
  for (int i = 0; i < kTalkers; ++i) {
    // Half of them men; raised voices are higher (Lombard).
    const double pitch = (random.chance(0.5) ? random.range(95, 150) : random.range(170, 250)) *
                         (0.9 + 0.45 * effort) * layer.by_size(1.18, 0.86);
    Signal voice = talker(length, pitch, effort * layer.by_size(1.2, 0.8), random);
    normalise(voice);
    mix(room, voice, random.range(0.5, 1.0));
  }
  // The same talkers again, elsewhere and later: a crowd of many times their number.
  const int copies = 2 + static_cast<int>(6 * layer.size());
  OnePole far1(layer.by_size(7500, 1500) * (0.6 + 0.7 * effort)), far2(9000), no_boom(90);
  Signal crowd(length, 0.0);
  for (int k = 0; k < copies; ++k) {
    const auto lag = static_cast<std::size_t>(random.range(0, shift_s) * kVoiceRate);
    const double size = random.range(0.5, 1.0);
    const double gain = size * (random.chance(0.5) ? 1 : -1);
    for (std::size_t i = 0; i + lag < length; ++i) crowd[i] += gain * room[i + lag];
  }
  normalise(crowd);
  OnePole hiss_low(layer.by_size(3000, 1800)), hiss_high(layer.by_size(700, 400));
  const double bed = random.range(0.08, 0.2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t k = i / 3;
    const double voice = crowd[k] + (crowd[k + 1] - crowd[k]) * static_cast<double>(i % 3) / 3;
    const double air = hiss_low.low(hiss_high.high(random.noise()));
    out[i] += no_boom.high(far2.low(far1.low(voice + bed * air)));
  }
}

}  // namespace qingyin::training
