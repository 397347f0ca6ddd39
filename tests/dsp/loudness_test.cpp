#include "core/dsp/loudness.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/dsp/signals.h"

namespace qingyin::test {
namespace {

LoudnessFigures figures_of(const std::vector<float>& stereo) {
  LoudnessMeter meter(48000, 2);
  meter.add(stereo);
  return meter.figures();
}

double amplitude(double db) { return std::pow(10, db / 20); }

// EBU Tech 3341, cases 1 and 2: a stereo sine of -23 dBFS is -23 LUFS.
TEST(Loudness, OfReferenceTones) {
  for (const double level : {-23.0, -33.0, -14.0}) {
    const auto figures = figures_of(in_stereo(sine(997, amplitude(level), 20 * 48000)));
    EXPECT_NEAR(figures.integrated_lufs, level, 0.1);
    EXPECT_NEAR(figures.max_momentary_lufs, level, 0.1);
    EXPECT_NEAR(figures.true_peak_dbtp, level, 0.1);
    EXPECT_NEAR(figures.range_lu, 0, 0.1);
  }
}

// EBU Tech 3341, case 3: -36, -23, -36 dBFS for 10, 60, 10 s is -23 LUFS after gating.
TEST(Loudness, GatesQuietParts) {
  LoudnessMeter meter(48000, 2);
  for (const auto& [level, seconds] : {std::pair{-36.0, 10}, {-23.0, 60}, {-36.0, 10}})
    meter.add(in_stereo(sine(997, amplitude(level), seconds * 48000)));
  EXPECT_NEAR(meter.figures().integrated_lufs, -23, 0.1);
}

// EBU Tech 3341, case 17: a quarter-rate sine at 45 degrees peaks between its samples.
TEST(Loudness, SeesPeaksBetweenSamples) {
  std::vector<float> x(48000);
  for (std::size_t n = 0; n < x.size(); ++n)
    x[n] = static_cast<float>(
        0.5 * std::sin(std::numbers::pi / 2 * static_cast<double>(n) + std::numbers::pi / 4));
  EXPECT_NEAR(figures_of(in_stereo(x)).true_peak_dbtp, -6, 0.3);
}

TEST(Loudness, IsMinusInfinityWhereItIsUndefined) {
  const auto silence = figures_of(std::vector<float>(96000));
  EXPECT_EQ(silence.integrated_lufs, -HUGE_VAL);
  EXPECT_EQ(silence.max_momentary_lufs, -HUGE_VAL);
  EXPECT_EQ(silence.true_peak_dbtp, -HUGE_VAL);
  EXPECT_EQ(figures_of(in_stereo(sine(997, 0.5, 4800))).integrated_lufs, -HUGE_VAL);
}

// Sound, a long pause, other sound; in pieces that fit nothing.
LoudnessFigures around_a_pause(const std::vector<float>& pause) {
  auto x = in_stereo(sine(997, 0.05, 7 * 48000 + 321));
  x.insert(x.end(), pause.begin(), pause.end());
  const auto after = in_stereo(noise(0.2, 9 * 48000 + 77, 4));
  x.insert(x.end(), after.begin(), after.end());
  LoudnessMeter meter(48000, 2);
  for (std::size_t at = 0; at < x.size(); at += 3334)
    meter.add(std::span(x).subspan(at, std::min<std::size_t>(3334, x.size() - at)));
  return meter.figures();
}

// A click of -74 dBFS in every piece of 100 ms, still under the gate, has a pause measured.
TEST(Loudness, PausesThatAreSparedChangeNoFigure) {
  std::vector<float> hum = in_stereo(sine(3000, 9e-5, 15 * 48000 + 12345)), clicks = hum;
  for (std::size_t at = 0; at < clicks.size(); at += 4000) clicks[at] = 2e-4F;
  const LoudnessFigures spared = around_a_pause(hum), measured = around_a_pause(clicks);
  EXPECT_NEAR(spared.integrated_lufs, measured.integrated_lufs, 1e-3);
  EXPECT_NEAR(spared.max_momentary_lufs, measured.max_momentary_lufs, 1e-3);
  EXPECT_NEAR(spared.range_lu, measured.range_lu, 1e-3);
  EXPECT_NEAR(spared.true_peak_dbtp, measured.true_peak_dbtp, 1e-3);
}

TEST(Loudness, OfAWhisperOnly) {
  const auto figures = figures_of(in_stereo(sine(997, 9e-5, 8 * 48000)));
  EXPECT_EQ(figures.integrated_lufs, -HUGE_VAL) << "under the gate";
  EXPECT_NEAR(figures.max_momentary_lufs, 20 * std::log10(9e-5), 0.1);
  EXPECT_NEAR(figures.true_peak_dbtp, 20 * std::log10(9e-5), 0.1);
}

TEST(Loudness, DoesNotDependOnTheBlocks) {
  const auto x = in_stereo(noise(0.1, 100000, 6));
  LoudnessMeter meter(48000, 2);
  for (std::size_t at = 0; at < x.size(); at += 1234)
    meter.add(std::span(x).subspan(at, std::min<std::size_t>(1234, x.size() - at)));
  EXPECT_EQ(meter.figures().integrated_lufs, figures_of(x).integrated_lufs);
  EXPECT_EQ(meter.figures().max_momentary_lufs, figures_of(x).max_momentary_lufs);
}

std::vector<float> gains_of(Limiter& limiter, const std::vector<float>& stereo, std::size_t block) {
  std::vector<float> gains;
  for (std::size_t at = 0; at < stereo.size(); at += 2 * block) {
    const auto more =
        limiter.push(std::span(stereo).subspan(at, std::min(2 * block, stereo.size() - at)));
    gains.insert(gains.end(), more.begin(), more.end());
  }
  const auto rest = limiter.finish();
  gains.insert(gains.end(), rest.begin(), rest.end());
  return gains;
}

std::vector<float> times(const std::vector<float>& stereo, const std::vector<float>& gains) {
  std::vector<float> x = stereo;
  for (std::size_t n = 0; n < x.size(); ++n) x[n] *= gains[n / 2];
  return x;
}

struct Loud {
  const char* name;
  std::vector<float> samples;  // stereo
};

std::vector<Loud> loud_sounds() {
  auto bursts = std::vector<float>(3 * 48000);
  for (unsigned i = 0; i < 6; ++i) add_burst(bursts, 10000 + 20000 * i, 1.5, 0.03, i);
  auto click = std::vector<float>(48000);
  click[20000] = 3;
  click[20001] = -3;
  click[47999] = 2;  // on the very last sample
  auto high = sine(11999, 2, 48000);
  auto left_only = in_stereo(noise(0.8, 48000, 7));
  for (std::size_t n = 1; n < left_only.size(); n += 2) left_only[n] = 0;
  return {{"bursts", in_stereo(bursts)}, {"click", in_stereo(click)},
          {"11999 Hz", in_stereo(high)}, {"60 Hz", in_stereo(sine(60, 4, 48000))},
          {"left only", left_only},      {"noise", in_stereo(noise(0.7, 96000, 8))}};
}

TEST(Limiter, KeepsTheCeilingAsTheMeterSeesIt) {
  for (const double ceiling : {-1.0, -3.0})
    for (const Loud& sound : loud_sounds()) {
      Limiter limiter({.sample_rate_hz = 48000, .channels = 2, .ceiling_dbtp = ceiling});
      const auto gains = gains_of(limiter, sound.samples, 1000);
      ASSERT_EQ(gains.size(), sound.samples.size() / 2) << sound.name;
      const double peak = figures_of(times(sound.samples, gains)).true_peak_dbtp;
      EXPECT_LE(peak, ceiling + 0.1) << sound.name;
      EXPECT_GT(peak, ceiling - 0.5) << sound.name << ": turned down more than needed";
      EXPECT_LT(limiter.largest_reduction_db(), -1) << sound.name;
    }
}

TEST(Limiter, LeavesAloneWhatKeepsTheCeiling) {
  Limiter limiter({.sample_rate_hz = 48000, .channels = 2, .ceiling_dbtp = -1});
  auto x = in_stereo(sine(997, 0.85, 48000));
  for (const float gain : gains_of(limiter, x, 480)) ASSERT_EQ(gain, 1.0F);
  EXPECT_EQ(limiter.largest_reduction_db(), 0);
}

// Every sample keeps the ceiling of 0.708; what lies between them reaches 0.9.
TEST(Limiter, SeesPeaksBetweenSamplesThatKeepTheCeiling) {
  std::vector<float> x(48000);
  for (std::size_t n = 0; n < x.size(); ++n)
    x[n] = static_cast<float>(
        0.9 * std::sin(std::numbers::pi / 2 * static_cast<double>(n) + std::numbers::pi / 4));
  Limiter limiter({.sample_rate_hz = 48000, .channels = 2, .ceiling_dbtp = -3});
  gains_of(limiter, in_stereo(x), 480);
  EXPECT_NEAR(limiter.largest_reduction_db(), 20 * std::log10(0.708 / 0.9), 0.3);
}

TEST(Limiter, ComesBackToOneAndActsOnlyNearThePeak) {
  std::vector<float> x(4 * 48000);
  add_burst(x, 48000, 3, 0.005, 9);
  Limiter limiter({.sample_rate_hz = 48000, .channels = 2, .ceiling_dbtp = -1});
  const auto gains = gains_of(limiter, in_stereo(x), 777);
  EXPECT_EQ(gains[48000 - 480], 1.0F);
  EXPECT_LT(gains[48000 + 48], 0.5F);
  EXPECT_EQ(gains[3 * 48000], 1.0F);
}

TEST(Limiter, MovesItsGainSmoothly) {
  for (const Loud& sound : loud_sounds()) {
    Limiter limiter({.sample_rate_hz = 48000, .channels = 2, .ceiling_dbtp = -1});
    const auto gains = gains_of(limiter, sound.samples, 4800);
    for (std::size_t n = 1; n < gains.size(); ++n)
      ASSERT_LT(std::abs(gains[n] - gains[n - 1]), 0.01F) << sound.name << " " << n;
  }
}

TEST(Limiter, DoesNotDependOnTheBlocks) {
  const auto x = loud_sounds().front().samples;
  Limiter whole({.sample_rate_hz = 48000, .channels = 2, .ceiling_dbtp = -1});
  Limiter pieces({.sample_rate_hz = 48000, .channels = 2, .ceiling_dbtp = -1});
  EXPECT_EQ(gains_of(whole, x, x.size()), gains_of(pieces, x, 97));
}

TEST(Limiter, TakesLessSoundThanItsDelay) {
  Limiter limiter({.sample_rate_hz = 48000, .channels = 1, .ceiling_dbtp = -6});
  const std::vector<float> x = {0.0F, 1.0F, 1.0F};
  EXPECT_TRUE(limiter.push(x).empty());
  const auto gains = limiter.finish();
  ASSERT_EQ(gains.size(), 3U);
  EXPECT_LT(gains[1], 0.52F);
}

}  // namespace
}  // namespace qingyin::test
