// The engine that ships, with the weights that ship.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "audio_gen/audio_generator.h"
#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/dsp/onset.h"
#include "tests/core/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

const std::filesystem::path kWeights = std::filesystem::path(QINGYIN_SOURCE_DIR) / "models/bundled";
const RenderSettings kQuick{.steps = 4, .guidance = 1.3};

const AudioGenerator& engine() {
  static const auto loaded = make_bundled_engine(kWeights);
  return *loaded;
}

SoundEvent event(const std::string& label, std::uint64_t seed = 1, double seconds = 0.6) {
  SoundEvent e;
  e.id = label + std::to_string(seed);
  e.label = label;
  e.onset = Seconds(2);
  e.offset = Seconds(2 + seconds);
  e.seed = seed;
  return e;
}

std::vector<float> samples(const SoundEvent& e) { return engine().render(e, kQuick).audio.samples; }

double level_of(const std::vector<float>& x) { return bundled::dbfs_of(bundled::loudest_rms(x)); }

TEST(BundledEngine, SameEventSameSamplesWhateverRunsBesideIt) {
  const std::vector<SoundEvent> events{event("impact"), event("scrape"), event("rain"),
                                       event("bell")};
  std::vector<std::vector<float>> alone(events.size()), together(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) alone[i] = samples(events[i]);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = t; i < events.size(); i += 2) together[i] = samples(events[i]);
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_TRUE(alone[i] == together[i]) << events[i].label;
  }
}

TEST(BundledEngine, PlaceInTimeAndNameDoNotMatterButTheSeedDoes) {
  const auto base = samples(event("impact"));
  SoundEvent moved = event("impact");
  moved.id = "another";
  moved.onset = Seconds(7);
  moved.offset = Seconds(7.6);
  moved.gain_db = 6;
  EXPECT_TRUE(samples(moved) == base);
  EXPECT_FALSE(samples(event("impact", 2)) == base);
}

TEST(BundledEngine, EveryClassHasItsLevelAndSilenceBeforeIt) {
  for (const SoundClassInfo& info : sound_classes()) {
    for (const double intensity : {0.2, 0.9}) {
      SoundEvent e = event(std::string(info.name));
      e.intensity = intensity;
      const EventSound sound = engine().render(e, kQuick);
      EXPECT_NEAR(level_of(sound.audio.samples), level_dbfs(intensity), 0.1) << info.name;
      const auto before = static_cast<std::size_t>(
          std::llround((sound.lead.count() - 0.001) * sound.audio.sample_rate_hz));
      for (std::size_t i = 0; i < before; ++i) ASSERT_EQ(sound.audio.samples[i], 0) << info.name;
      EXPECT_EQ(sound.audio.samples.back(), 0) << info.name;
    }
  }
}

TEST(BundledEngine, AttacksStandAtTheLead) {
  std::vector<double> errors;
  for (const char* label : {"impact", "footstep", "drop", "explosion", "bell"}) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      const EventSound sound = engine().render(event(label, seed), kQuick);
      const auto start = sound_start(sound.audio.samples, sound.audio.sample_rate_hz);
      ASSERT_TRUE(start) << label;
      errors.push_back(std::abs((*start - sound.lead).count()));
    }
  }
  std::ranges::sort(errors);
  EXPECT_LT(errors[errors.size() / 2], 0.010);
}

TEST(BundledEngine, IntensityChangesMoreThanTheLevel) {
  SoundEvent soft = event("impact"), hard = event("impact");
  soft.material = hard.material = "metal";
  soft.intensity = 0.1;
  hard.intensity = 0.9;
  auto quiet = samples(soft), loud = samples(hard);
  const double gain = bundled::loudest_rms(loud) / bundled::loudest_rms(quiet);
  double difference = 0;
  const std::size_t length = std::min(quiet.size(), loud.size());
  for (std::size_t i = 0; i < length; ++i) {
    difference = std::max(difference, std::abs(loud[i] - gain * quiet[i]));
  }
  EXPECT_GT(difference, 0.01);
}

TEST(BundledEngine, WhatLastsEndsSoonAfterItsOffset) {
  for (const char* label : {"scrape", "wind"}) {
    const EventSound sound = engine().render(event(label, 1, 2.0), kQuick);
    const double rest = (sound.audio.duration() - sound.lead).count() - 2.0;
    EXPECT_GT(rest, 0) << label;
    EXPECT_LT(rest, 0.6) << label;
  }
}

TEST(BundledEngine, EnvelopeLeadsALastingSound) {
  SoundEvent e = event("wind", 3, 2.0);
  e.envelope = {{Seconds(0), 0.1}, {Seconds(1), 0.1}, {Seconds(1.1), 1.0}, {Seconds(2), 1.0}};
  const auto x = samples(e);
  const std::vector<float> first(x.begin() + 9600, x.begin() + 43200);
  const std::vector<float> second(x.begin() + 62400, x.begin() + 96000);
  EXPECT_GT(level_of(second), level_of(first) + 10);
}

TEST(BundledEngine, StreamDoesNotDependOnHowItIsRead) {
  const SoundEvent e = event("rain");
  std::vector<float> once(150000), pieces(150000);
  engine().open_stream(e, kQuick)->read(once);
  const auto stream = engine().open_stream(e, kQuick);
  std::size_t done = 0;
  for (std::size_t size = 1; done < pieces.size(); size = size * 3 + 1) {
    const std::size_t count = std::min(size, pieces.size() - done);
    stream->read(std::span(pieces).subspan(done, count));
    done += count;
  }
  EXPECT_TRUE(once == pieces);
  EXPECT_NEAR(level_of({once.begin(), once.begin() + 96000}), level_dbfs(0.5), 0.2);
}

TEST(BundledEngine, BedHasNoHolesAndNoBlowsWhereItIsJoined) {
  for (const char* label : {"rain", "wind", "engine"}) {
    std::vector<float> bed(6 * 48000);
    engine().open_stream(event(label), {})->read(bed);
    std::vector<double> levels;  // of 100 ms
    for (std::size_t i = 0; i < bed.size(); i += 4800) {
      double sum = 0;
      for (std::size_t k = i; k < i + 4800; ++k) sum += static_cast<double>(bed[k]) * bed[k];
      levels.push_back(bundled::dbfs_of(std::sqrt(sum / 4800)));
    }
    std::vector<double> sorted = levels;
    std::ranges::sort(sorted);
    const double middle = sorted[sorted.size() / 2];
    EXPECT_GT(sorted.front(), middle - 15) << label;
    EXPECT_LT(sorted.back(), middle + 15) << label;  // wind has gusts
    for (std::size_t i = 1; i < levels.size(); ++i) {
      EXPECT_LT(std::abs(levels[i] - levels[i - 1]), 10) << label << " at " << i;
    }
  }
}

TEST(BundledEngine, MatchesWordsToClasses) {
  const auto exact = engine().match(event("impact"));
  ASSERT_TRUE(exact);
  EXPECT_EQ(exact->label, "impact");
  EXPECT_TRUE(exact->is_exact);
  EXPECT_FALSE(exact->is_sustained);
  SoundEvent words = event("footsteps on gravel");
  ASSERT_TRUE(engine().match(words));
  EXPECT_EQ(engine().match(words)->label, "footstep");
  SoundEvent by_caption = event("");
  by_caption.caption = "heavy rain";
  ASSERT_TRUE(engine().match(by_caption));
  EXPECT_EQ(engine().match(by_caption)->label, "rain");
  EXPECT_TRUE(engine().match(by_caption)->is_sustained);
  // A word for what a thing is made of is taken for a blow on it, and that is said.
  const auto only_material = engine().match(event("玻璃"));
  ASSERT_TRUE(only_material);
  EXPECT_EQ(only_material->label, "impact");
  EXPECT_EQ(only_material->material, "glass");
  EXPECT_FALSE(only_material->is_exact);
  EXPECT_EQ(engine().match(event("玻璃碎了"))->label, "break");
  EXPECT_FALSE(engine().match(event("zxqv")));
}

TEST(BundledEngine, RefusesWhatItCannotMake) {
  const auto message =
      expect_error(ErrorCode::kInvalidInput, [] { engine().render(event("zxqv"), kQuick); });
  EXPECT_CONTAINS(message, "zxqv");
  expect_error(ErrorCode::kInvalidInput, [] { engine().render(event("rain", 1, 11), kQuick); });
  expect_error(ErrorCode::kUsage, [] { engine().render(event("rain"), {.steps = 0}); });
  expect_error(ErrorCode::kUsage,
               [] { engine().render(event("rain"), {.steps = 4, .guidance = std::nan("")}); });
  SoundEvent reversed = event("rain");
  reversed.offset = Seconds(1);
  expect_error(ErrorCode::kInvalidInput, [&] { engine().render(reversed, kQuick); });
}

TEST(BundledEngine, StopsWhenAsked) {
  const Progress no = [](std::string_view, double) { return false; };
  expect_error(ErrorCode::kCancelled, [&] { engine().render(event("impact"), kQuick, no); });
}

TEST(BundledEngine, SaysWhichWeightsAreMissingOrWrong) {
  const TemporaryFolder folder;
  const auto missing =
      expect_error(ErrorCode::kModelMissing, [&] { make_bundled_engine(folder.path()); });
  EXPECT_CONTAINS(missing, folder.path().string());
  EXPECT_CONTAINS(missing, "./dev train");
  std::filesystem::copy(kWeights, folder.path());
  std::filesystem::copy_file(kWeights / "vocoder.safetensors", folder / "foley.safetensors",
                             std::filesystem::copy_options::overwrite_existing);
  const auto wrong =
      expect_error(ErrorCode::kBadCheckpoint, [&] { make_bundled_engine(folder.path()); });
  EXPECT_CONTAINS(wrong, "foley.safetensors");
  EXPECT_CONTAINS(wrong, "\"classes\"");
}

TEST(BundledEngine, NamesItsWeightsByHash) {
  const EngineInfo info = engine().info();
  EXPECT_EQ(info.name, "bundled");
  ASSERT_EQ(info.models.size(), 3u);
  for (const auto& [name, hash] : info.models) EXPECT_EQ(hash.size(), 64u) << name;
}

TEST(LevelDbfs, IsLinearAndClamped) {
  EXPECT_EQ(level_dbfs(0), -40);
  EXPECT_EQ(level_dbfs(1), -11);
  EXPECT_NEAR(level_dbfs(0.5), -25.5, 1e-9);
  EXPECT_EQ(level_dbfs(7), -11);
}

}  // namespace
}  // namespace qingyin::test
