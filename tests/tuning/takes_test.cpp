#include "tuning/takes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/philox.h"

namespace qingyin::tuning {
namespace {

constexpr double kRate = 48000;

std::vector<float> silence(double seconds) {
  return std::vector<float>(static_cast<std::size_t>(seconds * kRate));
}

std::vector<float> hiss(double seconds, double level, std::uint64_t seed = 3) {
  std::vector<float> noise(static_cast<std::size_t>(seconds * kRate));
  Philox(seed, 0).normal(noise);
  for (float& x : noise) x *= static_cast<float>(level);
  return noise;
}

/// Adds a knock: a tone that dies out.
void knock(std::vector<float>& into, double at_s, double level, double decay_s = 0.05) {
  const auto at = static_cast<std::size_t>(at_s * kRate);
  for (std::size_t i = at; i < into.size(); ++i) {
    const double t = static_cast<double>(i - at) / kRate;
    into[i] += static_cast<float>(level * std::exp(-t / decay_s) *
                                  std::sin(2 * std::numbers::pi * 900 * t));
  }
}

TEST(Takes, FindsEveryKnockWhereItBegins) {
  auto sound = hiss(4, 0.0003);
  for (const double at : {0.5, 1.4, 2.9}) knock(sound, at, 0.5);
  const auto takes = find_takes(sound);
  ASSERT_EQ(takes.size(), 3U);
  const double wanted[] = {0.5, 1.4, 2.9};
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(static_cast<double>(takes[k].begin) / kRate, wanted[k], 0.003);
    EXPECT_LE(takes[k].end, k < 2 ? takes[k + 1].begin : sound.size());
  }
}

TEST(Takes, KeepsARattleWholeAndDividesWhatFellFar) {
  auto rattle = silence(1.5);
  for (const double at : {0.3, 0.34, 0.38, 0.42}) knock(rattle, at, 0.4, 0.03);
  EXPECT_EQ(find_takes(rattle).size(), 1U);
  auto pair = silence(2);
  knock(pair, 0.3, 0.4, 0.06);
  knock(pair, 0.62, 0.4, 0.06);  // 46 dB down by then
  EXPECT_EQ(find_takes(pair).size(), 2U);
}

TEST(Takes, LeavesFaintNoisesAndSteadyHumAlone) {
  auto sound = silence(3);
  knock(sound, 0.5, 0.5);
  knock(sound, 2.0, 0.005);
  EXPECT_EQ(find_takes(sound).size(), 1U);
  EXPECT_TRUE(find_takes(hiss(4, 0.05)).empty());
  EXPECT_TRUE(find_takes(silence(1)).empty());
}

TEST(Takes, FindsTheOneThatAnOnsetMeans) {
  auto sound = silence(3);
  knock(sound, 0.5, 0.5);
  knock(sound, 1.5, 0.5);
  const auto second = take_near(sound, 1.55);
  ASSERT_TRUE(second);
  EXPECT_NEAR(static_cast<double>(second->begin) / kRate, 1.5, 0.003);
  EXPECT_FALSE(take_near(sound, 1.0));
  // A faint one counts if somebody says that it is there.
  knock(sound, 2.5, 0.006);
  EXPECT_EQ(find_takes(sound).size(), 2U);
  EXPECT_TRUE(take_near(sound, 2.5));
}

TEST(Takes, TellsShapes) {
  auto knocks = silence(3);
  knock(knocks, 0.5, 0.5);
  EXPECT_EQ(shape_of_takes(knocks, find_takes(knocks)), SoundShape::kOneShot);
  auto rub = silence(4);
  const auto noise = hiss(1.6, 0.1);
  std::copy(noise.begin(), noise.end(), rub.begin() + 48000);
  EXPECT_EQ(shape_of_takes(rub, find_takes(rub)), SoundShape::kSustained);
  const auto rain = hiss(6, 0.1);
  EXPECT_EQ(shape_of_takes(rain, find_takes(rain)), SoundShape::kTexture);
  EXPECT_EQ(texture_pieces(rain, 48000).size(), 5U);
}

TEST(Recording, NamesWhatIsWrong) {
  EXPECT_EQ(recording_fault(silence(1))->reason, "silent");
  EXPECT_EQ(recording_fault({})->reason, "too_short");
  EXPECT_EQ(recording_fault(hiss(0.01, 0.1))->reason, "too_short");
  auto cut = hiss(1, 1.5);
  for (float& x : cut) x = std::clamp(x, -0.9F, 0.9F);
  EXPECT_EQ(recording_fault(cut)->reason, "clipped");
  EXPECT_FALSE(recording_fault(hiss(1, 0.2)));
}

TEST(Recording, LevelCurveFollowsTheSound) {
  auto sound = hiss(1, 0.2);
  for (std::size_t i = 24000; i < sound.size(); ++i) sound[i] *= 0.1F;
  const auto curve = level_curve_of(sound);
  ASSERT_EQ(curve.size(), 100U);
  EXPECT_GT(curve[20], 0.7F);
  EXPECT_NEAR(curve[80], 0.09, 0.03);
}

}  // namespace
}  // namespace qingyin::tuning
