#include "training/vocoder_evaluation.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <complex>
#include <numbers>

#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/dsp/mel.h"
#include "core/dsp/stft.h"
#include "core/philox.h"
#include "core/time.h"
#include "training/figures.h"
#include "training/sound_pool.h"

namespace qingyin::training {
namespace {

using Clock = std::chrono::steady_clock;
using Spectrum = std::vector<std::complex<float>>;

constexpr int kSize = 1920, kIterations = 32;
constexpr double kSeconds = 1.6;
/// Magnitudes below this, about -94 dBFS for a tone, are taken for it.
constexpr double kFloor = 1e-2;

const Stft& stft() {
  static const Stft transform({.size = kSize, .hop = static_cast<int>(bundled::kHop)});
  return transform;
}

/// Magnitudes [bins] of one frame's bands: linear between their centres, in the logarithm.
std::vector<float> magnitudes_of(std::span<const float> bands) {
  static const std::vector<float> filters = mel_filterbank(bundled_mel());
  const auto bins = static_cast<std::size_t>(stft().bins());
  static const auto facts = [bins] {
    std::pair<std::vector<double>, std::vector<double>> result;  // centres, log gains
    for (std::size_t m = 0; m < bundled::kMelBands; ++m) {
      double sum = 0, moment = 0;
      for (std::size_t b = 0; b < bins; ++b) {
        sum += filters[m * bins + b];
        moment += filters[m * bins + b] * static_cast<double>(b);
      }
      result.first.push_back(moment / sum);
      result.second.push_back(std::log(std::max(sum, 0.3)));
    }
    return result;
  }();
  const auto& [centres, gains] = facts;
  std::vector<float> result(bins);
  for (std::size_t b = 0, m = 0; b < bins; ++b) {
    while (m + 2 < bands.size() && centres[m + 1] < static_cast<double>(b)) ++m;
    const double along =
        std::clamp((static_cast<double>(b) - centres[m]) / (centres[m + 1] - centres[m]), 0.0, 1.0);
    result[b] = static_cast<float>(
        std::exp(std::lerp(bands[m] - gains[m], bands[m + 1] - gains[m + 1], along)));
  }
  return result;
}

/// Mean over frames [from, to) of the root mean square over bins of the difference in dB.
double spectral_distance_db(const Spectrum& a, const Spectrum& b, std::size_t from,
                            std::size_t to) {
  const auto bins = static_cast<std::size_t>(stft().bins());
  const auto db = [](std::complex<float> z) {
    return 20 * std::log10(std::max(kFloor, static_cast<double>(std::abs(z))));
  };
  double sum = 0;
  for (std::size_t f = from; f < to; ++f) {
    double squares = 0;
    for (std::size_t i = f * bins; i < (f + 1) * bins; ++i) {
      squares += (db(a[i]) - db(b[i])) * (db(a[i]) - db(b[i]));
    }
    sum += std::sqrt(squares / static_cast<double>(bins));
  }
  return sum / static_cast<double>(to - from);
}

/// Adds what one sound says, beginning at frame `first` of the truth.
void add(VocoderFigures& figures, std::span<const float> truth, std::span<const float> made,
         const std::int64_t first) {
  const auto from_sample = static_cast<std::size_t>(first * bundled::kHop);
  const auto same = truth.subspan(from_sample, made.size());
  const auto wanted = bundled::clamped_log_mel(truth), found = bundled::clamped_log_mel(made);
  const auto width = static_cast<std::size_t>(bundled::kMelBands);
  const std::size_t frames = found.size() / width;
  // The outer frames look past the ends of what was made.
  double error = 0;
  for (std::size_t i = 2 * width; i < (frames - 2) * width; ++i) {
    error += std::abs(found[i] - wanted[i + static_cast<std::size_t>(first) * width]);
  }
  figures.log_mel_l1 += error / static_cast<double>((frames - 4) * width);
  figures.spectral_db +=
      spectral_distance_db(stft().forward(same), stft().forward(made), 2, frames - 2);
}

std::vector<float> with_silence(std::vector<float> mel, std::int64_t side) {
  const auto count = static_cast<std::size_t>(side * bundled::kMelBands);
  mel.insert(mel.begin(), count, bundled::kQuietestLogMel);
  mel.insert(mel.end(), count, bundled::kQuietestLogMel);
  return mel;
}

}  // namespace

std::vector<float> griffin_lim(std::span<const float> log_mel, int iterations, std::uint64_t seed) {
  const auto bands = static_cast<std::size_t>(bundled::kMelBands);
  const std::size_t frames = log_mel.size() / bands;
  const auto length = static_cast<std::int64_t>(frames) * bundled::kHop;
  std::vector<float> wanted;
  for (std::size_t f = 0; f <= frames; ++f) {  // a transform has one frame more
    const auto row = magnitudes_of(log_mel.subspan(std::min(f, frames - 1) * bands, bands));
    wanted.insert(wanted.end(), row.begin(), row.end());
  }
  const Philox random(seed, 0);
  Spectrum spectrum(wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    spectrum[i] = std::polar(wanted[i], 2 * std::numbers::pi_v<float> * random.uniform(i));
  }
  for (int k = 0; k < iterations; ++k) {
    spectrum = stft().forward(stft().inverse(spectrum, length));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      spectrum[i] = std::polar(wanted[i], std::arg(spectrum[i]));
    }
  }
  return stft().inverse(spectrum, length);
}

VocoderComparison compare_vocoders(const bundled::Networks& networks, std::uint64_t seed,
                                   std::int64_t count) {
  VocoderComparison result;
  double one_shots = 0, sounding = 0;
  const auto onset = static_cast<std::int64_t>(bundled::kLeadSamples);
  for (std::int64_t i = 0; i < count; ++i) {
    const TrainingSound sound = training_sound(seed, i, kSeconds);
    const auto mel = bundled::clamped_log_mel(sound.samples);
    const auto padded = with_silence(mel, networks.context_frames());
    auto began = Clock::now();
    const auto made = networks.vocode(padded, -networks.context_frames(), seed);
    result.network.seconds += Seconds(Clock::now() - began).count();
    began = Clock::now();
    const auto oracle = griffin_lim(mel, kIterations, seed);
    result.griffin_lim.seconds += Seconds(Clock::now() - began).count();
    add(result.network, sound.samples, made, 0);
    add(result.griffin_lim, sound.samples, oracle, 0);
    sounding += kSeconds;
    const auto& info = sound_classes()[static_cast<std::size_t>(sound.recipe.class_id)];
    if (info.shape != SoundShape::kOneShot) continue;
    ++one_shots;
    result.network.attack_db += attack_rise_db(made, onset);
    result.griffin_lim.attack_db += attack_rise_db(oracle, onset);
    result.true_attack_db += attack_rise_db(sound.samples, onset);
  }
  for (VocoderFigures* f : {&result.network, &result.griffin_lim}) {
    f->log_mel_l1 /= static_cast<double>(count);
    f->spectral_db /= static_cast<double>(count);
    f->attack_db /= std::max(one_shots, 1.0);
    f->seconds /= sounding;
  }
  result.true_attack_db /= std::max(one_shots, 1.0);
  return result;
}

}  // namespace qingyin::training
