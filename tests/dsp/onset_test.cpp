#include "core/dsp/onset.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/dsp/signals.h"

namespace qingyin::test {
namespace {

constexpr double kMillisecond = 0.001;

void expect_near_times(const std::vector<Seconds>& got, const std::vector<double>& want,
                       double within) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i].count(), want[i], within) << i;
}

TEST(Onsets, OfBurstsStandOnTheirAttack) {
  const std::vector<double> at = {0.2505, 0.611, 1.2223, 1.9};
  for (const double background : {0.0, 0.001, 0.01}) {
    auto x = noise(background, 3 * 48000, 11);
    unsigned seed = 20;
    for (const double time : at) add_burst(x, std::llround(time * 48000), 0.3, 0.04, seed++);
    expect_near_times(find_onsets(x, 48000), at, 2.1 * kMillisecond);
  }
}

TEST(Onsets, OfClicks) {
  std::vector<float> x = noise(0.0005, 2 * 48000, 12);
  const std::vector<double> at = {0.5, 0.7007, 1.4};
  for (const double time : at) x[static_cast<std::size_t>(time * 48000)] += 0.8F;
  expect_near_times(find_onsets(x, 48000), at, 2.1 * kMillisecond);
}

TEST(Onsets, AreTheSameAtAnotherRate) {
  std::vector<float> x = noise(0.001, 2 * 44100, 13);
  add_burst(x, 44100, 0.3, 0.05, 14, 44100);
  expect_near_times(find_onsets(x, 44100), {1.0}, 2.1 * kMillisecond);
}

TEST(Onsets, AreNotWhereNothingBegins) {
  EXPECT_TRUE(find_onsets({}, 48000).empty());
  EXPECT_TRUE(find_onsets(std::vector<float>(96000), 48000).empty());
  EXPECT_TRUE(find_onsets(noise(0.00001, 96000, 15), 48000).empty()) << "below -80 dBFS";
  EXPECT_TRUE(find_onsets(noise(0.1, 3 * 48000, 16), 48000).empty()) << "on from the start";
  auto tone = sine(440, 0.3, 3 * 48000);
  for (std::size_t n = 0; n < 24000; ++n)  // a sudden end is a click
    tone[tone.size() - 1 - n] *= static_cast<float>(n) / 24000;
  EXPECT_TRUE(find_onsets(tone, 48000).empty());
  EXPECT_THROW(find_onsets(sine(440, 0.3, 4800), 0), Error);
}

TEST(Onsets, CloserThanTheGapAreOne) {
  std::vector<float> x(48000);
  add_burst(x, 20000, 0.3, 0.03, 17);
  add_burst(x, 20000 + 1440, 0.2, 0.03, 18);  // 30 ms later
  EXPECT_EQ(find_onsets(x, 48000).size(), 1U);
}

TEST(Onsets, NeedAHigherRiseWithAHigherThreshold) {
  auto x = noise(0.02, 2 * 48000, 19);
  add_burst(x, 48000, 0.08, 0.05, 20);
  EXPECT_EQ(find_onsets(x, 48000, {.threshold_db = 3}).size(), 1U);
  EXPECT_TRUE(find_onsets(x, 48000, {.threshold_db = 20}).empty());
}

TEST(SoundStart, IsTheFootOfTheAttack) {
  for (const int at : {0, 1, 4801, 9999}) {
    std::vector<float> x(24000);
    add_burst(x, at, 0.3, 0.05, 21);
    const auto start = sound_start(x, 48000);
    ASSERT_TRUE(start);
    EXPECT_NEAR(start->count(), at / 48000.0, kMillisecond);
  }
}

TEST(SoundStart, IgnoresPreEchoAndNoise) {
  auto x = noise(0.001, 24000, 22);
  add_burst(x, 12000 - 960, 0.01, 0.1, 23);  // 20 ms early, 30 dB down
  add_burst(x, 12000, 0.4, 0.05, 24);
  EXPECT_NEAR(sound_start(x, 48000)->count(), 0.25, kMillisecond);
}

TEST(SoundStart, OfARampIsWhereTheFractionIsReached) {
  auto x = sine(2000, 0.5, 24000);
  for (std::size_t n = 0; n < x.size(); ++n)  // silence, then 40 ms up, then steady
    x[n] *= static_cast<float>(std::clamp((static_cast<double>(n) - 4800) / 1920, 0.0, 1.0));
  EXPECT_NEAR(sound_start(x, 48000, 0.15)->count(), 0.1 + 0.15 * 0.04, kMillisecond);
  EXPECT_NEAR(sound_start(x, 48000, 0.5)->count(), 0.1 + 0.5 * 0.04, kMillisecond);
}

TEST(SoundStart, OfSilenceIsNone) {
  EXPECT_FALSE(sound_start({}, 48000));
  EXPECT_FALSE(sound_start(std::vector<float>(100, 0.00005F), 48000));
}

}  // namespace
}  // namespace qingyin::test
