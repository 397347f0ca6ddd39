#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "models/checkpoint/tensor_io.h"
#include "tests/support/temporary_folder.h"
#include "training/detector_evaluation.h"
#include "training/detector_trainer.h"

namespace qingyin::training {
namespace {

namespace fs = std::filesystem;

DetectorTraining small_training() {
  DetectorTraining settings;
  settings.network = {.first = 8,
                      .second = 12,
                      .third = 16,
                      .dim = 32,
                      .hidden = 48,
                      .past = 4,
                      .future = 1,
                      .blocks = 2};
  settings.batch = 4;
  settings.steps_per_film = 40;
  settings.film_s = 2;
  settings.rates.warm_up = 5;
  return settings;
}

RunOptions small_run(const fs::path& folder, std::int64_t steps) {
  RunOptions run;
  run.folder = folder;
  run.seed = 3;
  run.steps = steps;
  run.sounds = 12;
  run.bf16 = false;
  return run;
}

Film film_of_one_event() {
  Film film;
  film.duration_s = 1;
  for (int k = 0; k < 25; ++k) {
    SmallPicture picture(static_cast<std::size_t>(kSmallWidth) * kSmallHeight, 50.0F);
    picture[0] = static_cast<float>(k);  // no two frames are the same
    picture[1] = static_cast<float>(100 + 4 * k);
    for (float& pixel : picture) pixel += 0.5F * static_cast<float>(k % 3);
    film.frames.push_back({k / 25.0, picture});
  }
  film.events.push_back(
      {.onset_kind = OnsetKind::kFootstep, .onset_s = 0.41, .intensity = 0.7, .x = 0.5});
  film.events.push_back(
      {.lasts = true, .lasting_kind = LastingKind::kFire, .onset_s = 0.2, .offset_s = 0.62});
  return film;
}

TEST(DetectorData, TargetsAreWhereTheEventsAre) {
  const DetectorExamples e = examples_of(film_of_one_event(), 30);
  ASSERT_EQ(e.maps.size(1), 30);
  EXPECT_EQ(e.onset.sum().item<float>(), 1);
  EXPECT_EQ(e.onset[0][10].item<float>(), 1);  // 0.40 to 0.44 s
  EXPECT_NEAR(e.share[0][10].item<float>(), 0.25, 1e-4);
  EXPECT_EQ(e.kind[0][10].item<std::int64_t>(), static_cast<std::int64_t>(OnsetKind::kFootstep));
  const auto fire = e.lasting[0].select(1, static_cast<std::int64_t>(LastingKind::kFire));
  EXPECT_NEAR(fire.sum().item<float>() * 0.04, 0.42, 1e-3);
  EXPECT_EQ(fire[2].item<float>(), 0);
}

TEST(DetectorData, HiddenEventsAreNeitherWantedNorForbidden) {
  Film film = film_of_one_event();
  film.events[0].hidden = true;
  const DetectorExamples e = examples_of(film, 30);
  EXPECT_EQ(e.onset.sum().item<float>(), 0);
  EXPECT_EQ(e.near[0][10].item<float>(), 1);
}

TEST(DetectorData, RepeatedFramesAreLeftOut) {
  Film film = film_of_one_event();
  film.frames[7].picture = film.frames[6].picture;
  const auto maps = maps_of(film);
  EXPECT_EQ(maps.size(), 23U);
  EXPECT_NEAR(maps[6].end_s - maps[6].start_s, 0.08, 1e-9);
}

TEST(DetectorData, MirrorTurnsPlacesAndMotion) {
  const DetectorExamples pool = examples_of(shoot_film(1, 6, 2), 30);
  const at::Tensor first = at::zeros({1}, at::kLong);
  const auto plain = picked_examples(pool, first, at::zeros({1}, at::kBool), at::kCPU);
  const auto mirror = picked_examples(pool, first, at::ones({1}, at::kBool), at::kCPU);
  EXPECT_TRUE(at::allclose(mirror.place.select(2, 0), -plain.place.select(2, 0)));
  EXPECT_TRUE(at::allclose(mirror.maps.select(2, 0), -plain.maps.select(2, 0).flip({3})));
  EXPECT_TRUE(at::allclose(mirror.maps.select(2, 1), plain.maps.select(2, 1).flip({3})));
}

double loss_in(const fs::path& log, bool last) {
  std::ifstream in(log);
  std::string line, found;
  std::getline(in, line);
  while (std::getline(in, line)) {
    found = line;
    if (!last) break;
  }
  std::stringstream columns(found);
  for (int i = 0; i < 5; ++i) std::getline(columns, line, ',');
  return std::stod(line);
}

TEST(DetectorTrainer, LowersItsLossAndGoesOnWhereItWasStopped) {
  const test::TemporaryFolder folder;
  const auto whole = small_run(folder.path() / "whole", 80);
  ASSERT_TRUE(train_detector(small_training(), whole));
  EXPECT_LT(loss_in(whole.folder / "log.csv", true),
            0.8 * loss_in(whole.folder / "log.csv", false));

  auto parts = small_run(folder.path() / "parts", 80);
  int calls = 0;
  parts.progress = [&](std::string_view, double) { return ++calls < 30; };
  ASSERT_FALSE(train_detector(small_training(), parts));
  parts.progress = {};
  ASSERT_TRUE(train_detector(small_training(), parts));
  const auto a = read_safetensors(whole.folder / "weights.safetensors").tensors;
  const auto b = read_safetensors(parts.folder / "weights.safetensors").tensors;
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
}

// The weights that are shipped, on films that they were not trained on.
TEST(BundledDetector, FindsAndNamesWhatHeldOutFilmsShow) {
  const fs::path weights = fs::path(QINGYIN_SOURCE_DIR) / "models/bundled/detector.safetensors";
  if (!fs::exists(weights)) GTEST_SKIP() << "no " << weights;
  EXPECT_LE(fs::file_size(weights), 3'000'000U);
  const DetectorFigures f = evaluate_detector({.weights = weights, .films = 100});
  EXPECT_GE(f.onsets.f1(), 0.65) << to_markdown(f);
  EXPECT_GE(f.kinds_right, 0.85);
  EXPECT_LE(f.median_error_s, 0.015);
}

}  // namespace
}  // namespace qingyin::training
