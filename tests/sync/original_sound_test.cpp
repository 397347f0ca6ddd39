#include "sync/original_sound.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/dsp/signals.h"

namespace qingyin::test {
namespace {

constexpr std::int64_t kLength = 3 * 48000 + 77;

StemBlock effects() {
  std::vector<float> burst(kLength), bed = noise(0.05, kLength, 71);
  for (std::size_t n = 48000; n < 48000 + 9600; ++n) burst[n] = n % 2 == 0 ? 0.1F : -0.1F;
  return {.length = kLength, .stems = {in_stereo(burst), in_stereo(bed)}};
}

StemBlock mixed(OriginalSound mode, const std::vector<float>& original, std::int64_t block,
                const std::vector<std::size_t>& ducking = {0}) {
  const StemBlock input = effects();
  OriginalMixer mixer(mode, ducking);
  StemBlock all;
  const auto append = [&](const StemBlock& next) {
    if (next.length == 0) return;
    all.stems.resize(next.stems.size());
    for (std::size_t i = 0; i < next.stems.size(); ++i)
      all.stems[i].insert(all.stems[i].end(), next.stems[i].begin(), next.stems[i].end());
    all.length += next.length;
  };
  for (std::int64_t at = 0; at < kLength; at += block) {
    StemBlock next{.length = std::min(block, kLength - at), .stems = {}};
    for (const auto& stem : input.stems)
      next.stems.emplace_back(stem.begin() + 2 * at, stem.begin() + 2 * (at + next.length));
    append(mixer.push(
        std::move(next),
        std::span(original).subspan(static_cast<std::size_t>(2 * at),
                                    static_cast<std::size_t>(2 * std::min(block, kLength - at)))));
  }
  append(mixer.finish());
  return all;
}

TEST(OriginalSound, KeptIsUntouchedAndReplacedIsGone) {
  const auto original = in_stereo(noise(0.1, kLength, 72));
  const StemBlock kept = mixed(OriginalSound::kKeep, original, 5000);
  ASSERT_EQ(kept.stems.size(), 3U);
  EXPECT_EQ(kept.stems[2], original);
  EXPECT_EQ(kept.stems[0], effects().stems[0]);
  EXPECT_EQ(mixed(OriginalSound::kReplace, original, 5000).stems, effects().stems);
}

TEST(OriginalSound, DucksWhereEffectsSound) {
  const std::vector<float> ones(2 * kLength, 1.0F);
  const StemBlock got = mixed(OriginalSound::kDuck, ones, 5000);
  EXPECT_EQ(got.length, kLength);
  EXPECT_EQ(got.stems[0], effects().stems[0]) << "effects are not delayed";
  EXPECT_EQ(got.stems[1], effects().stems[1]);
  ASSERT_EQ(got.stems[2].size(), ones.size());
  const auto db = [&](double at_s) {
    return 20 * std::log10(got.stems[2][2 * static_cast<std::size_t>(at_s * 48000)]);
  };
  EXPECT_EQ(db(0.5), 0) << "the bed must not duck";
  EXPECT_EQ(db(0.979), 0);
  EXPECT_NEAR(db(1.0), -12, 0.02) << "it is down when the effect begins";
  EXPECT_NEAR(db(1.19), -12, 0.001);
  EXPECT_GT(db(1.4), -9);
  EXPECT_LT(db(1.4), -2);
  EXPECT_EQ(db(1.7), 0);
  for (std::size_t n = 2; n < got.stems[2].size(); n += 2) {
    ASSERT_LT(std::abs(got.stems[2][n] - got.stems[2][n - 2]), 0.002F) << "a click at " << n / 2;
    ASSERT_EQ(got.stems[2][n], got.stems[2][n + 1]);
  }
}

TEST(OriginalSound, DoesNotFlutterWithALowTone) {
  OriginalMixer mixer(OriginalSound::kDuck, {0});
  const std::vector<float> ones(2 * 48000, 1.0F);
  const StemBlock got =
      mixer.push({.length = 48000, .stems = {in_stereo(sine(30, 0.0033, 48000))}}, ones);
  for (std::size_t n = 4800; n < got.stems[1].size(); ++n)
    ASSERT_NEAR(got.stems[1][n], 0.2512F, 0.0005F) << n;
}

TEST(OriginalSound, BlocksChangeNothing) {
  const auto original = in_stereo(noise(0.1, kLength, 73));
  EXPECT_EQ(mixed(OriginalSound::kDuck, original, 100).stems,
            mixed(OriginalSound::kDuck, original, kLength).stems);
}

TEST(OriginalSound, ShorterThanTheLookAheadComesOutWhole) {
  OriginalMixer mixer(OriginalSound::kDuck, {0});
  const std::vector<float> loud(20, 1.0F);
  EXPECT_EQ(mixer.push({.length = 10, .stems = {loud}}, loud).length, 0);
  const StemBlock rest = mixer.finish();
  EXPECT_EQ(rest.length, 10);
  EXPECT_LT(rest.stems[1].front(), 1.0F);
}

TEST(OriginalSound, RefusesWhatDoesNotFit) {
  OriginalMixer mixer(OriginalSound::kDuck, {1});
  const std::vector<float> two(2), four(4);
  EXPECT_THROW(mixer.push({.length = 1, .stems = {two}}, four), Error);
  EXPECT_THROW(mixer.push({.length = 1, .stems = {two}}, two), Error) << "there is no stem 1";
  EXPECT_EQ(original_sound_named("duck"), OriginalSound::kDuck);
  EXPECT_THROW(original_sound_named("mute"), Error);
}

}  // namespace
}  // namespace qingyin::test
