#include "training/sound_bank.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <thread>

#include "audio_gen/vocabulary.h"
#include "tests/support/expect_error.h"
#include "tests/training/sound_figures.h"

namespace qingyin::training {
namespace {

using namespace qingyin::test;

constexpr double kLead = 0.04, kLength = 1.28;

std::string name_of(int id) {
  return std::string(sound_classes()[static_cast<std::size_t>(id)].name);
}

SoundRecipe steady(int id, std::uint64_t seed) {
  SoundRecipe recipe = draw_recipe(id, seed);
  recipe.level_curve.clear();
  return recipe;
}

double wanted_db(const SoundRecipe& recipe) { return -40 + 29 * recipe.intensity; }

class EveryClass : public testing::TestWithParam<int> {};

TEST_P(EveryClass, StartsOnTimeAtItsLevelWithinFullScale) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const SoundRecipe recipe = draw_recipe(GetParam(), seed);
    const BankSound sound = synthesise(recipe, kLead, kLength);
    SCOPED_TRACE(seed);
    ASSERT_EQ(sound.samples.size(), 61440U);
    EXPECT_EQ(sound.onset_sample, 1920);
    const std::span<const float> all(sound.samples);
    for (const float x : all) ASSERT_TRUE(std::isfinite(x));
    EXPECT_EQ(peak(all.first(1920)), 0.0);
    EXPECT_NEAR(static_cast<double>(first_audible(all)), 1920, 48);
    EXPECT_NEAR(loudest_db(all), wanted_db(recipe), 1.0);
    EXPECT_LE(peak(all), 1.0);
    double sum = 0;
    for (const float x : all) sum += x;
    EXPECT_LT(std::abs(sum) / 61440, 0.01 * peak(all)) << "an offset";
    EXPECT_LT(std::abs(all.back()), 1e-3 * peak(all)) << "ends with a click";
  }
}

TEST_P(EveryClass, IsAFunctionOfItsRecipe) {
  const SoundRecipe recipe = draw_recipe(GetParam(), 7);
  const BankSound first = synthesise(recipe, kLead, kLength);
  BankSound beside;
  std::thread other([&] { beside = synthesise(recipe, kLead, kLength); });
  const BankSound again = synthesise(recipe, kLead, kLength);
  other.join();
  EXPECT_EQ(first.samples, again.samples);
  EXPECT_EQ(first.samples, beside.samples);
  SoundRecipe reseeded = recipe;
  ++reseeded.seed;
  EXPECT_NE(first.samples, synthesise(reseeded, kLead, kLength).samples);
}

TEST_P(EveryClass, LeadOnlyShiftsTheSound) {
  const SoundRecipe recipe = draw_recipe(GetParam(), 11);
  const BankSound early = synthesise(recipe, 0, 0.5);
  const BankSound late = synthesise(recipe, 0.1, 0.6);
  ASSERT_EQ(late.samples.size(), early.samples.size() + 4800);
  EXPECT_TRUE(std::equal(early.samples.begin(), early.samples.end(), late.samples.begin() + 4800));
}

TEST_P(EveryClass, LouderIsBrighter) {
  int brighter = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SoundRecipe soft = steady(GetParam(), seed), loud = soft;
    soft.intensity = 0.15;
    loud.intensity = 0.9;
    const BankSound low = synthesise(soft, kLead, kLength), high = synthesise(loud, kLead, kLength);
    EXPECT_NEAR(loudest_db(high.samples) - loudest_db(low.samples), 29 * 0.75, 1.0);
    brighter += centroid_hz(high.samples) > centroid_hz(low.samples);
  }
  if (GetParam() == class_id("bubbles")) return;  // more of them, not brighter ones: see below
  EXPECT_GE(brighter, GetParam() == class_id("fire") ? 11 : 14);
}

TEST_P(EveryClass, LargerIsLower) {
  int lower = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SoundRecipe small = steady(GetParam(), seed), large = small;
    small.size = 0.1;
    large.size = 0.9;
    lower += centroid_hz(synthesise(large, kLead, kLength).samples) <
             centroid_hz(synthesise(small, kLead, kLength).samples);
  }
  EXPECT_GE(lower, GetParam() == class_id("footstep") ? 11 : 16);
}

TEST_P(EveryClass, RecipesAreNatural) {
  const SoundClassInfo& info = sound_classes()[static_cast<std::size_t>(GetParam())];
  std::set<int> materials;
  std::vector<double> sizes, strengths;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const SoundRecipe recipe = draw_recipe(GetParam(), seed);
    EXPECT_EQ(recipe.class_id, GetParam());
    materials.insert(recipe.material_id);
    sizes.push_back(recipe.size);
    strengths.push_back(recipe.intensity);
    if (info.shape == SoundShape::kOneShot) {
      EXPECT_TRUE(recipe.level_curve.empty());
    } else {
      EXPECT_GT(recipe.duration_s, 0.1);
    }
    EXPECT_EQ(recipe.seed, draw_recipe(GetParam(), seed).seed);
  }
  EXPECT_EQ(materials.size() > 1, info.uses_material);
  if (info.uses_material) {
    EXPECT_GE(materials.size(), 4U);
  }
  for (const auto& values : {sizes, strengths}) {
    EXPECT_LT(quantile(values, 0.05), 0.15);
    EXPECT_NEAR(median(values), 0.5, 0.08);
    EXPECT_GT(quantile(values, 0.95), 0.85);
  }
}

INSTANTIATE_TEST_SUITE_P(SoundBank, EveryClass, testing::Range(0, 28),
                         [](const auto& each) { return name_of(each.param); });

TEST(SoundBank, HasASynthesiserForEveryClass) {
  EXPECT_EQ(sound_classes().size(), 28U) << "EveryClass must cover the new classes too";
}

TEST(SoundBank, BlowsOnHarderMaterialsRingLonger) {
  const auto ringing = [](std::string_view material) {
    std::vector<double> times;
    for (std::uint64_t seed = 0; seed < 24; ++seed) {
      SoundRecipe recipe = steady(0, seed);
      recipe.material_id = material_id(material).value();
      times.push_back(decay_s(synthesise(recipe, kLead, 2.5).samples));
    }
    return median(times);
  };
  const double metal = ringing("metal"), glass = ringing("glass"), ceramic = ringing("ceramic");
  const double wood = ringing("wood"), plastic = ringing("plastic");
  EXPECT_GT(metal, 1.5 * glass);
  EXPECT_GT(glass, 1.3 * ceramic);
  EXPECT_GT(ceramic, 1.1 * wood);
  EXPECT_GT(wood, 1.1 * plastic);
}

TEST(SoundBank, MaterialsSoundDifferent) {
  const auto brightness = [](std::string_view material) {
    std::vector<double> values;
    for (std::uint64_t seed = 0; seed < 24; ++seed) {
      SoundRecipe recipe = steady(0, seed);
      recipe.material_id = material_id(material).value();
      values.push_back(centroid_hz(synthesise(recipe, kLead, kLength).samples));
    }
    return median(values);
  };
  EXPECT_GT(brightness("glass"), 2 * brightness("wood"));
  EXPECT_GT(brightness("stone"), 2 * brightness("wood"));
  EXPECT_LT(brightness("earth"), 0.6 * brightness("wood"));
  EXPECT_LT(brightness("cloth"), 0.75 * brightness("plastic"));
}

TEST(SoundBank, TheLevelCurveIsFollowed) {
  for (const std::string_view name : {"rain", "stream", "engine", "scrape"}) {
    SoundRecipe recipe = steady(class_id(name).value(), 3);
    recipe.duration_s = 2;
    const BankSound flat = synthesise(recipe, 0, 2);
    recipe.level_curve.assign(200, 1.0F);
    std::fill(recipe.level_curve.begin() + 100, recipe.level_curve.end(), 0.1F);
    const BankSound curved = synthesise(recipe, 0, 2);
    const auto step_db = [](const BankSound& sound) {
      const std::span<const float> all(sound.samples);
      return rms_db(all.subspan(19200, 24000)) - rms_db(all.subspan(67200, 24000));
    };
    EXPECT_NEAR(step_db(curved) - step_db(flat), 20, 2.5) << name;
  }
}

TEST(SoundBank, WhatLastsEndsAtItsExtent) {
  for (const std::string_view name : {"scrape", "rolling", "whoosh", "rain", "engine"}) {
    SoundRecipe recipe = steady(class_id(name).value(), 5);
    recipe.duration_s = 0.4;
    const BankSound sound = synthesise(recipe, kLead, 2.0);
    const std::span<const float> all(sound.samples);
    const double during = rms_db(all.subspan(1920, 19200));
    EXPECT_LT(rms_db(all.subspan(1920 + 72000)), during - 40) << name;
  }
}

TEST(SoundBank, TexturesGoOnAsTheyBegan) {
  for (const std::string_view name : {"rain", "stream", "bubbles", "engine"}) {
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      SoundRecipe recipe = steady(class_id(name).value(), seed);
      recipe.duration_s = 10;
      recipe.intensity = 0.5;
      const BankSound sound = synthesise(recipe, 0, 8);
      const std::span<const float> all(sound.samples);
      const auto first = all.first(all.size() / 2), second = all.last(all.size() / 2);
      EXPECT_NEAR(rms_db(first), rms_db(second), 4.0) << name;
      EXPECT_NEAR(std::log2(centroid_hz(first) / centroid_hz(second)), 0, 0.35) << name;
    }
  }
}

TEST(SoundBank, LouderBubblesAreMore) {
  const auto busy = [](double intensity) {
    int windows = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      SoundRecipe recipe = steady(class_id("bubbles").value(), seed);
      recipe.intensity = intensity;
      recipe.duration_s = 10;
      const BankSound sound = synthesise(recipe, 0, 2);
      const double top = loudest_db(sound.samples);
      for (std::size_t i = 0; i + 960 < sound.samples.size(); i += 960) {
        windows += rms_db(std::span(sound.samples).subspan(i, 960)) > top - 15;
      }
    }
    return windows;
  };
  EXPECT_GT(busy(0.9), 1.3 * busy(0.1));
}

TEST(SoundBank, AFootstepHasHeelAndToe) {
  int doubles = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SoundRecipe recipe = steady(class_id("footstep").value(), seed);
    recipe.material_id = material_id("stone").value();
    recipe.intensity = 0.3;
    const BankSound sound = synthesise(recipe, 0, 0.5);
    const std::span<const float> all(sound.samples);
    // The toe comes 60 to 170 ms after the heel: the sound above 300 Hz rises again there.
    double valley = 0, toe = -200;
    for (std::size_t ms = 20; ms < 220; ms += 5) {
      const double now =
          share_above_db(all.subspan(ms * 48, 480), 300) + rms_db(all.subspan(ms * 48, 480));
      valley = std::min(valley, now);
      if (now > valley) toe = std::max(toe, now - valley);
    }
    doubles += toe > 6;
  }
  EXPECT_GE(doubles, 16);
}

TEST(SoundBank, EdgesOfTheRangesWork) {
  for (int id = 0; id < 28; ++id) {
    for (const double edge : {0.0, 1.0}) {
      SoundRecipe recipe{id, 0, edge, edge, 0.0, {}, std::numeric_limits<std::uint64_t>::max()};
      for (const double length : {0.002, 0.05, 1.0}) {
        const BankSound sound = synthesise(recipe, 0, length);
        EXPECT_EQ(sound.samples.size(), static_cast<std::size_t>(std::llround(length * 48000)));
        for (const float x : sound.samples) ASSERT_TRUE(std::isfinite(x) && std::abs(x) <= 1);
      }
    }
  }
  SoundRecipe silent = steady(class_id("rain").value(), 1);
  silent.level_curve.assign(300, 0.0F);
  EXPECT_EQ(peak(synthesise(silent, kLead, kLength).samples), 0.0);
}

TEST(SoundBank, RefusesWhatItCannotMake) {
  const SoundRecipe good = steady(0, 1);
  const auto refuse = [&](auto&& spoil, double lead = kLead, double length = kLength) {
    SoundRecipe bad = good;
    spoil(bad);
    EXPECT_TRUE(throws_error([&] { synthesise(bad, lead, length); }, ErrorCode::kUsage, "sound"));
  };
  const double nan = std::nan("");
  refuse([](SoundRecipe& r) { r.class_id = -1; });
  refuse([](SoundRecipe& r) { r.class_id = 28; });
  refuse([](SoundRecipe& r) { r.material_id = 9; });
  refuse([](SoundRecipe& r) { r.material_id = -1; });
  refuse([](SoundRecipe& r) { r.size = 1.01; });
  refuse([&](SoundRecipe& r) { r.size = nan; });
  refuse([&](SoundRecipe& r) { r.intensity = -0.1; });
  refuse([&](SoundRecipe& r) { r.duration_s = nan; });
  refuse([](SoundRecipe& r) { r.duration_s = -1; });
  refuse([](SoundRecipe& r) { r.level_curve = {0.5F, 1.5F}; });
  refuse([](SoundRecipe&) {}, -0.01);
  refuse([](SoundRecipe&) {}, 1.28, 1.28);
  refuse([](SoundRecipe&) {}, 0, std::numeric_limits<double>::infinity());
  refuse([&](SoundRecipe&) {}, nan);
  EXPECT_TRUE(throws_error([] { draw_recipe(28, 0); }, ErrorCode::kUsage, "class"));
}

}  // namespace
}  // namespace qingyin::training
