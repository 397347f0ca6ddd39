#include "core/dsp/mel.h"

#include <algorithm>
#include <cmath>

#include "core/dsp/stft.h"
#include "core/error.h"

namespace qingyin {
namespace {

double mel_of(double hz) { return 2595 * std::log10(1 + hz / 700); }
double hz_of(double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }

void check(const MelConfig& c) {
  require(c.sample_rate_hz > 0 && c.size >= 2 && c.hop >= 1 && c.bands >= 1 && c.floor > 0 &&
              0 <= c.low_hz && c.low_hz < c.high_hz && c.high_hz <= c.sample_rate_hz / 2.0,
          ErrorCode::kInternal,
          "dsp: a mel spectrogram needs positive sizes and 0 <= low_hz < high_hz <= rate / 2");
}

/// The bins of one band that are not zero.
struct Band {
  std::size_t first_bin;
  std::vector<float> weights;
};

std::vector<Band> sparse(const std::vector<float>& filters, int bands) {
  const std::size_t bins = filters.size() / static_cast<std::size_t>(bands);
  std::vector<Band> result;
  for (std::size_t m = 0; m < static_cast<std::size_t>(bands); ++m) {
    const auto row = std::span(filters).subspan(m * bins, bins);
    const auto is_set = [](float weight) { return weight > 0; };
    const auto first = std::ranges::find_if(row, is_set);
    auto last = row.end();
    while (last != first && !is_set(*(last - 1))) --last;
    result.push_back({static_cast<std::size_t>(first - row.begin()), {first, last}});
  }
  return result;
}

}  // namespace

MelConfig bundled_mel() {
  return {.sample_rate_hz = 48000,
          .size = 1920,
          .hop = 480,
          .bands = 100,
          .low_hz = 20,
          .high_hz = 24000,
          .floor = 1e-5};
}

std::vector<float> mel_filterbank(const MelConfig& config) {
  check(config);
  const int bins = config.size / 2 + 1;
  const double low = mel_of(config.low_hz);
  const double step = (mel_of(config.high_hz) - low) / (config.bands + 1);
  std::vector<float> filters(static_cast<std::size_t>(config.bands) *
                             static_cast<std::size_t>(bins));
  for (int m = 0; m < config.bands; ++m) {
    const double left = hz_of(low + m * step), centre = hz_of(low + (m + 1) * step),
                 right = hz_of(low + (m + 2) * step);
    for (int b = 0; b < bins; ++b) {
      const double hz = static_cast<double>(b) * config.sample_rate_hz / config.size;
      const double weight =
          std::min((hz - left) / (centre - left), (right - hz) / (right - centre));
      filters[static_cast<std::size_t>(m * bins + b)] = static_cast<float>(std::max(0.0, weight));
    }
  }
  return filters;
}

struct MelSpectrogram::State {
  MelConfig config;
  Stft stft;
  std::vector<Band> bands;
};

MelSpectrogram::MelSpectrogram(const MelConfig& config) {
  check(config);
  state_.reset(new State{config, Stft({.size = config.size, .hop = config.hop}),
                         sparse(mel_filterbank(config), config.bands)});
}

MelSpectrogram::~MelSpectrogram() = default;

std::vector<float> MelSpectrogram::operator()(std::span<const float> signal) const {
  const auto spectrum = state_->stft.forward(signal);
  const auto bins = static_cast<std::size_t>(state_->stft.bins());
  const auto floor = static_cast<float>(state_->config.floor);
  std::vector<float> magnitude(bins), result;
  result.reserve(spectrum.size() / bins * state_->bands.size());
  for (std::size_t frame = 0; frame < spectrum.size(); frame += bins) {
    for (std::size_t b = 0; b < bins; ++b) magnitude[b] = std::abs(spectrum[frame + b]);
    for (const Band& band : state_->bands) {
      float sum = 0;
      for (std::size_t i = 0; i < band.weights.size(); ++i)
        sum += band.weights[i] * magnitude[band.first_bin + i];
      result.push_back(std::log(std::max(sum, floor)));
    }
  }
  return result;
}

}  // namespace qingyin
