#include "core/dsp/mel.h"

#include <gtest/gtest.h>

#include "core/dsp/stft.h"
#include "core/error.h"
#include "tests/dsp/signals.h"

namespace qingyin::test {
namespace {

// Band edges of 4 HTK bands from 0 to 8000 Hz, computed apart: mel(8000) = 2840.023,
// edges at every 568.005 mel.
TEST(Mel, FiltersStandOnTheHtkScale) {
  const MelConfig config{.sample_rate_hz = 16000,
                         .size = 16000,
                         .hop = 100,
                         .bands = 4,
                         .low_hz = 0,
                         .high_hz = 8000,
                         .floor = 1e-5};  // one bin per Hz
  const auto filters = mel_filterbank(config);
  const double edges[] = {0, 458.730, 1218.079, 2475.051, 4555.754, 8000};
  const std::size_t bins = 8001;
  ASSERT_EQ(filters.size(), 4 * bins);
  for (std::size_t m = 0; m < 4; ++m) {
    const auto row = filters.begin() + static_cast<std::ptrdiff_t>(m * bins);
    const auto peak = std::max_element(row, row + bins);
    EXPECT_NEAR(static_cast<double>(peak - row), edges[m + 1], 0.6);
    EXPECT_NEAR(*peak, 1, 0.002);
    for (std::size_t b = 0; b < bins; ++b) {
      const double hz = static_cast<double>(b);
      const double want =
          std::max(0.0, std::min((hz - edges[m]) / (edges[m + 1] - edges[m]),
                                 (edges[m + 2] - hz) / (edges[m + 2] - edges[m + 1])));
      ASSERT_NEAR(row[static_cast<std::ptrdiff_t>(b)], want, 3e-5) << "band " << m << " bin " << b;
    }
  }
}

TEST(Mel, IsTheLogOfFilteredMagnitudes) {
  const MelConfig config = bundled_mel();
  const auto x = noise(0.1, 4800, 4);
  const auto got = MelSpectrogram(config)(x);
  const auto filters = mel_filterbank(config);
  const Stft stft({.size = config.size, .hop = config.hop});
  const auto spectrum = stft.forward(x);
  const auto bins = static_cast<std::size_t>(stft.bins());
  ASSERT_EQ(got.size(), 11U * 100U);
  for (std::size_t k = 0; k < 11; ++k)
    for (std::size_t m = 0; m < 100; ++m) {
      double sum = 0;
      for (std::size_t b = 0; b < bins; ++b)
        sum += filters[m * bins + b] * std::abs(spectrum[k * bins + b]);
      ASSERT_NEAR(got[k * 100 + m], std::log(std::max(sum, 1e-5)), 1e-4) << k << " " << m;
    }
}

// A sine on a bin: its peak magnitude is amplitude * size / 4, one bin to each side half of it.
TEST(Mel, OfASineIsKnown) {
  const auto x = sine(1000, 0.5, 48000);
  const auto got = MelSpectrogram(bundled_mel())(x);
  const auto filters = mel_filterbank(bundled_mel());
  const std::size_t frame = 50;
  for (std::size_t m = 0; m < 100; ++m) {
    const auto weight = [&](std::size_t bin) { return filters[m * 961 + bin]; };
    const double sum = 0.5 * 1920 / 4 * (weight(40) + 0.5 * (weight(39) + weight(41)));
    if (sum > 1) {
      EXPECT_NEAR(got[frame * 100 + m], std::log(sum), 1e-3) << m;
    }
  }
}

TEST(Mel, SilenceIsTheFloorAndEveryBandHearsSomething) {
  const auto silent = MelSpectrogram(bundled_mel())(std::vector<float>(960));
  ASSERT_EQ(silent.size(), 300U);
  for (const float value : silent) EXPECT_FLOAT_EQ(value, std::log(1e-5F));
  const auto filters = mel_filterbank(bundled_mel());
  for (std::size_t m = 0; m < 100; ++m) {
    float sum = 0;
    for (std::size_t b = 0; b < 961; ++b) sum += filters[m * 961 + b];
    EXPECT_GT(sum, 0.3F) << "band " << m;
  }
}

TEST(Mel, RefusesBadConfigs) {
  MelConfig config = bundled_mel();
  config.high_hz = 24001;
  EXPECT_THROW(mel_filterbank(config), Error);
  config = bundled_mel();
  config.floor = 0;
  EXPECT_THROW(MelSpectrogram{config}, Error);
}

}  // namespace
}  // namespace qingyin::test
