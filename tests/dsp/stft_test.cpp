#include "core/dsp/stft.h"

#include <gtest/gtest.h>

#include <thread>

#include "core/error.h"
#include "tests/dsp/signals.h"

namespace qingyin::test {
namespace {

// The definition: frame k is sum over n of hann(n) x(k hop - size/2 + n) exp(-2 pi i b n / size).
std::complex<double> direct(const std::vector<float>& x, const Stft::Config& config, int frame,
                            int bin) {
  std::complex<double> sum = 0;
  for (int n = 0; n < config.size; ++n) {
    const int at = frame * config.hop - config.size / 2 + n;
    if (at < 0 || at >= static_cast<int>(x.size())) continue;
    const double window = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * n / config.size);
    sum += window * x[static_cast<std::size_t>(at)] *
           std::polar(1.0, -2 * std::numbers::pi * bin * n / config.size);
  }
  return sum;
}

TEST(Stft, EqualsTheDirectSum) {
  for (const Stft::Config config :
       {Stft::Config{.size = 64, .hop = 16}, Stft::Config{.size = 60, .hop = 25}}) {
    const auto x = noise(1, 203, 1);
    const Stft stft(config);
    const auto got = stft.forward(x);
    const int frames = 1 + 203 / config.hop;
    ASSERT_EQ(stft.bins(), config.size / 2 + 1);
    ASSERT_EQ(got.size(), static_cast<std::size_t>(frames * stft.bins()));
    for (int k = 0; k < frames; ++k)
      for (int b = 0; b < stft.bins(); ++b) {
        const auto want = direct(x, config, k, b);
        const auto have = got[static_cast<std::size_t>(k * stft.bins() + b)];
        ASSERT_NEAR(have.real(), want.real(), 2e-5) << "frame " << k << " bin " << b;
        ASSERT_NEAR(have.imag(), want.imag(), 2e-5) << "frame " << k << " bin " << b;
      }
  }
}

TEST(Stft, InverseGivesTheSignalBack) {
  const Stft stft({.size = 1920, .hop = 480});
  for (const std::int64_t length : {std::int64_t{1}, std::int64_t{479}, std::int64_t{48001}}) {
    const auto x = noise(0.3, length, 2);
    const auto back = stft.inverse(stft.forward(x), length);
    ASSERT_EQ(back.size(), x.size());
    for (std::size_t n = 0; n < x.size(); ++n) ASSERT_NEAR(back[n], x[n], 2e-6) << n;
  }
}

TEST(Stft, TakesAnEmptySignal) {
  const Stft stft({.size = 64, .hop = 16});
  const auto frames = stft.forward({});
  ASSERT_EQ(frames.size(), 33U);
  EXPECT_EQ(std::abs(frames[3]), 0.0F);
  EXPECT_TRUE(stft.inverse(frames, 0).empty());
}

TEST(Stft, CallsMayOverlap) {
  const Stft stft({.size = 512, .hop = 128});
  const auto x = noise(0.3, 60000, 3);
  const auto want = stft.forward(x);
  std::vector<std::complex<float>> other;
  std::thread thread([&] { other = stft.forward(x); });
  const Stft made_meanwhile({.size = 500, .hop = 100});
  const auto mine = stft.forward(x);
  thread.join();
  EXPECT_EQ(mine, want);
  EXPECT_EQ(other, want);
}

TEST(Stft, RefusesBadSizes) {
  EXPECT_THROW(Stft({.size = 1, .hop = 1}), Error);
  EXPECT_THROW(Stft({.size = 64, .hop = 0}), Error);
  const Stft stft({.size = 64, .hop = 16});
  const std::vector<std::complex<float>> half_a_frame(20);
  EXPECT_THROW(stft.inverse(half_a_frame, 10), Error);
}

}  // namespace
}  // namespace qingyin::test
