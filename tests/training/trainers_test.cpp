#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "tests/core/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "training/figures.h"
#include "training/foley_data.h"
#include "training/foley_trainer.h"
#include "training/latent_trainer.h"
#include "training/pictures.h"
#include "training/schedule.h"
#include "training/sound_pool.h"
#include "training/vocoder_trainer.h"

namespace qingyin::training {
namespace {

using test::TemporaryFolder;

const std::filesystem::path kLatent =
    std::filesystem::path(QINGYIN_SOURCE_DIR) / "models/bundled/latent.safetensors";

VocoderTraining tiny_vocoder() {
  return {.network = {.dim = 16, .hidden = 24, .blocks = 1, .kernel = 3},
          .unrolled = 1,
          .batch = 2,
          .frames = 24,
          .finish_from = 0.5,
          .rates = {.peak = 1e-2, .warm_up = 5, .decay_from = 0.5}};
}

FoleyTraining tiny_foley() {
  FoleyTraining settings{.codec = kLatent, .batch = 4};
  settings.sounds_per_file = 14;
  settings.network.dim = 32;
  settings.network.heads = 2;
  settings.network.blocks = 1;
  settings.rates = {.peak = 1e-2, .warm_up = 5, .decay_from = 0.5};
  return settings;
}

DetectorTraining tiny_detector() {
  DetectorTraining settings;
  settings.network = {.first = 4, .second = 6, .third = 8, .dim = 16, .hidden = 16, .blocks = 1};
  settings.batch = 2;
  return settings;
}

RunOptions tiny_run(const std::filesystem::path& folder, std::int64_t steps) {
  return {.folder = folder, .seed = 7, .steps = steps, .sounds = 14, .bf16 = false, .progress = {}};
}

void expect_same_weights(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto left = read_safetensors(a).tensors, right = read_safetensors(b).tensors;
  ASSERT_EQ(left.size(), right.size());
  for (const auto& [name, tensor] : left) EXPECT_TRUE(tensor.equal(right.at(name))) << name;
}

std::vector<std::vector<double>> rows_of(const std::filesystem::path& log) {
  std::ifstream in(log);
  std::vector<std::vector<double>> rows;
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream cells(line);
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(std::stod(cell));
  }
  return rows;
}

TEST(Training, GoesOnAfterAStopAsIfNothingHadHappened) {
  const TemporaryFolder folder;
  ASSERT_TRUE(train_vocoder(tiny_vocoder(), tiny_run(folder / "whole", 6)));
  RunOptions halves = tiny_run(folder / "halves", 6);
  int left = 3;
  halves.progress = [&](std::string_view, double) { return --left > 0; };
  EXPECT_FALSE(train_vocoder(tiny_vocoder(), halves));
  EXPECT_EQ(read_safetensors(folder / "halves/state.safetensors").metadata.at("step"), "3");
  halves.progress = {};
  EXPECT_TRUE(train_vocoder(tiny_vocoder(), halves));
  expect_same_weights(folder / "whole/state.safetensors", folder / "halves/state.safetensors");
}

TEST(Training, SeedDecidesTheWeights) {
  const TemporaryFolder folder;
  RunOptions other = tiny_run(folder / "b", 1);
  other.seed = 8;
  train_vocoder(tiny_vocoder(), tiny_run(folder / "a", 1));
  train_vocoder(tiny_vocoder(), other);
  const auto a = read_safetensors(folder / "a/weights.safetensors").tensors;
  const auto b = read_safetensors(folder / "b/weights.safetensors").tensors;
  EXPECT_FALSE(a.at("input.weight").equal(b.at("input.weight")));
  EXPECT_EQ(a.at("input.weight").scalar_type(), at::kHalf);
  other.folder = folder / "a";
  const auto message =
      expect_error(ErrorCode::kUsage, [&] { train_vocoder(tiny_vocoder(), other); });
  EXPECT_CONTAINS(message, "seed 7");
}

TEST(Training, VocoderLearns) {
  const TemporaryFolder folder;
  VocoderTraining settings = tiny_vocoder();
  settings.finish_from = 1;
  train_vocoder(settings, tiny_run(folder.path(), 120));
  const auto rows = rows_of(folder / "log.csv");
  ASSERT_EQ(rows.size(), 6u);
  EXPECT_LT(rows.back().at(4), 0.98 * rows.front().at(4));  // loss
}

TEST(Training, TheDiscriminatorJoinsForTheFinishAndStaysOutOfTheWeights) {
  const TemporaryFolder folder;
  train_vocoder(tiny_vocoder(), tiny_run(folder.path(), 80));
  const auto rows = rows_of(folder / "log.csv");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[1].at(9), 0);  // its own loss: before the finish, and in it
  EXPECT_GT(rows[2].at(9), 0);
  EXPECT_LT(rows[3].at(9), 2);  // 2: knows nothing
  const auto weights = read_safetensors(folder / "weights.safetensors");
  for (const auto& [name, tensor] : weights.tensors) EXPECT_FALSE(name.starts_with("disc")) << name;
  EXPECT_TRUE(weights.tensors.contains("input.weight"));
  EXPECT_EQ(weights.metadata.at("dim"), "16");
}

TEST(Training, OneCommandTrainsAllAndGoesOnAfterAStop) {
  const TemporaryFolder folder;
  Schedule schedule{.seed = 7,
                    .latent = {.steps = 4, .sounds = 28},
                    .vocoder = {{.steps = 3, .sounds = 14}, {.steps = 2, .sounds = 14, .seed = 1}},
                    .foley = {{.steps = 3, .sounds = 14},
                              {.steps = 2, .sounds = 14, .seed = 1},
                              {.steps = 2, .sounds = 14, .seed = 2}},
                    .detector = {.steps = 2, .sounds = 4},
                    .grain = {},
                    .voice = tiny_vocoder(),
                    .flow = tiny_foley(),
                    .picture = tiny_detector()};
  ASSERT_TRUE(train_all(schedule, tiny_run(folder / "whole", 0)));
  RunOptions stopping = tiny_run(folder / "halves", 0);
  int left = 9;
  stopping.progress = [&](std::string_view, double) { return --left > 0; };
  EXPECT_FALSE(train_all(schedule, stopping));
  EXPECT_FALSE(std::filesystem::exists(folder / "halves/weights"));
  stopping.progress = {};
  EXPECT_TRUE(train_all(schedule, stopping));
  for (const std::string name : {"latent", "vocoder", "foley", "detector"}) {
    const std::string file = "weights/" + name + ".safetensors";
    expect_same_weights(folder / "whole" / file, folder / "halves" / file);
  }
}

TEST(Training, RepeatedClassesComeOftenerAndNoSoundTwice) {
  const auto classes = static_cast<std::int64_t>(sound_classes().size());
  const std::string second{sound_classes()[1].name};
  std::set<std::int64_t> numbers;
  std::vector<int> times(sound_classes().size());
  for (std::int64_t place = 0; place < 3 * (classes + 2); ++place) {
    const std::int64_t number = sound_index({{second, 3}}, place);
    EXPECT_TRUE(numbers.insert(number).second) << number;
    ++times[static_cast<std::size_t>(number % classes)];
    EXPECT_EQ(sound_index({}, place), place);
  }
  EXPECT_EQ(times[0], 3);
  EXPECT_EQ(times[1], 9);
  EXPECT_EQ(times.back(), 3);
  EXPECT_LT(*numbers.rbegin(), 9 * classes) << "the list has no holes";
}

TEST(Training, FlowLearnsAndGoesOnFromStoredSounds) {
  const TemporaryFolder folder;
  ASSERT_TRUE(train_foley(tiny_foley(), tiny_run(folder / "a", 60)));
  const auto rows = rows_of(folder / "a/log.csv");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_LT(rows.back().at(4), 0.95 * rows.front().at(4));
  // The same run from the sounds that the first one stored.
  std::filesystem::create_directories(folder / "b");
  std::filesystem::rename(folder / "a/sounds", folder / "b/sounds");
  ASSERT_TRUE(train_foley(tiny_foley(), tiny_run(folder / "b", 60)));
  expect_same_weights(folder / "a/weights.safetensors", folder / "b/weights.safetensors");
}

TEST(Training, NeedsTheLatent) {
  const TemporaryFolder folder;
  FoleyTraining settings = tiny_foley();
  settings.codec = folder / "none.safetensors";
  expect_error(ErrorCode::kModelMissing, [&] { train_foley(settings, tiny_run(folder / "a", 1)); });
}

TEST(Training, RefusesAnUnknownDevice) {
  const TemporaryFolder folder;
  RunOptions options = tiny_run(folder / "a", 1);
  options.device = "banana";
  expect_error(ErrorCode::kUsage, [&] { train_vocoder(tiny_vocoder(), options); });
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
}

TEST(LearningRate, RisesHoldsAndFalls) {
  const Rates rates{.peak = 2, .warm_up = 10, .decay_from = 0.5};
  EXPECT_NEAR(learning_rate(rates, 0, 100), 0.2, 1e-12);
  EXPECT_EQ(learning_rate(rates, 10, 100), 2);
  EXPECT_EQ(learning_rate(rates, 50, 100), 2);
  EXPECT_NEAR(learning_rate(rates, 75, 100), 1, 1e-12);
  EXPECT_EQ(learning_rate(rates, 100, 100), 0);
}

TEST(NormalNoise, DependsOnSeedStepAndName) {
  const auto base = normal_noise({100}, 1, 2, "a");
  EXPECT_TRUE(base.equal(normal_noise({100}, 1, 2, "a")));
  EXPECT_FALSE(base.equal(normal_noise({100}, 1, 3, "a")));
  EXPECT_FALSE(base.equal(normal_noise({100}, 1, 2, "b")));
}

TEST(Latent, ComponentsAreOrthonormalAndKeepWhatVaries) {
  at::manual_seed(1);
  const std::int64_t width = bundled::kMelBands * bundled::kFramesPerToken;
  // Patches that vary in 60 directions only.
  const at::Tensor patches = at::matmul(at::randn({3000, 60}), at::randn({60, width})) + 3;
  const LatentTables tables = fit_latent(patches);
  EXPECT_GT(tables.kept, 0.999);
  const at::Tensor& rows = tables.tensors.at("components");
  const at::Tensor product = at::matmul(rows, rows.t());
  EXPECT_LT((product - at::eye(bundled::kLatentSize)).abs().max().item<double>(), 1e-4);
  EXPECT_NEAR(tables.tensors.at("mean").mean().item<double>(), 3, 0.2);
}

TEST(Figures, KnowAnExponentialDecay) {
  std::vector<float> sound(96000);
  for (std::size_t i = 0; i < sound.size(); ++i) {
    const double time = static_cast<double>(i) / 48000;
    sound[i] = static_cast<float>(std::sin(2764.6 * time) * std::pow(10, -3 * time / 0.8));
  }
  EXPECT_NEAR(decay_time(sound).value(), 0.8, 0.01);
  EXPECT_FALSE(decay_time(std::vector<float>(48000)).has_value());
}

TEST(Figures, SpearmanSeesOrderAlone) {
  const std::vector<double> up{1, 2, 3, 4}, curved{-9, 0, 0.1, 700}, down{4, 3, 2, 1}, flat(4);
  EXPECT_DOUBLE_EQ(spearman(up, curved), 1);
  EXPECT_DOUBLE_EQ(spearman(up, down), -1);
  EXPECT_EQ(spearman(up, flat), 0);
}

TEST(Figures, FrechetDistanceOfNormalDistributions) {
  at::manual_seed(3);
  const at::Tensor x = at::randn({4000, 8});
  EXPECT_NEAR(frechet_distance(x, x), 0, 1e-6);
  // Shifted by 2 in one direction, scaled by 3 in another: 4 + (3 - 1)^2.
  at::Tensor y = at::randn({4000, 8});
  y.select(1, 0) += 2;
  y.select(1, 1) *= 3;
  EXPECT_NEAR(frechet_distance(x, y), 8, 0.5);
}

TEST(Figures, AnAttackRisesMoreTheSharperItIs) {
  std::vector<float> click(9600), swell(9600);
  for (std::size_t i = 0; i < 4800; ++i) {
    click[4800 + i] = i % 2 == 0 ? 0.5F : -0.5F;
    swell[4800 + i] = click[4800 + i] * static_cast<float>(std::min(1.0, double(i) / 960));
  }
  EXPECT_GT(attack_rise_db(click, 4800), attack_rise_db(swell, 4800) + 6);
}

TEST(Pictures, ArePngFilesOfTheRightSize) {
  const TemporaryFolder folder;
  std::vector<float> sound(48000);
  for (std::size_t i = 0; i < sound.size(); ++i) sound[i] = i % 7 < 3 ? 0.1F : -0.1F;
  const Picture picture = sounds_picture({sound, sound});
  EXPECT_EQ(picture.width, 208);
  write_png(picture, folder / "a.png");
  std::ifstream in(folder / "a.png", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(bytes.substr(1, 3), "PNG");
  EXPECT_EQ(bytes.substr(16, 8), std::string({0, 0, 0, '\xd0', 0, 0, 0, '\x98'}));
}

TEST(SpectralDistance, IsZeroForTheSameAndGrowsWithTheDifference) {
  at::manual_seed(1);
  const at::Tensor x = 0.1 * at::randn({2, 9600});
  EXPECT_EQ(spectral_distance(x, x).stft.item<double>(), 0);
  const auto little = spectral_distance(x, 1.1 * x), much = spectral_distance(x, 2 * x);
  EXPECT_GT(little.stft.item<double>(), 0);
  EXPECT_GT(much.stft.item<double>(), little.stft.item<double>());
  EXPECT_NEAR(much.log_mel.item<double>(), std::log(2), 1e-3);
}

TEST(TrainingSounds, StandAtTheNominalLevelAndTexturesHaveNoLead) {
  const auto classes = static_cast<std::int64_t>(sound_classes().size());
  for (std::int64_t i = 0; i < classes; ++i) {
    const TrainingSound sound = training_sound(3, i, 1.28);
    EXPECT_EQ(sound.samples.size(), 61440u);
    EXPECT_NEAR(bundled::dbfs_of(bundled::loudest_rms(sound.samples)), bundled::kNominalDbfs, 0.1);
    double lead = 0;
    for (int k = 0; k < bundled::kLeadSamples - 48; ++k) {
      lead =
          std::max(lead, std::abs(static_cast<double>(sound.samples[static_cast<std::size_t>(k)])));
    }
    EXPECT_EQ(lead > 1e-5, sound.is_texture) << sound_classes()[static_cast<std::size_t>(i)].name;
    EXPECT_EQ(sound.samples, training_sound(3, i, 1.28).samples);
  }
}

TEST(InParallel, VisitsEachOnceAndPassesErrorsOn) {
  std::vector<int> visits(100);
  in_parallel(100, 2, [&](std::int64_t i) { ++visits[static_cast<std::size_t>(i)]; });
  for (const int n : visits) EXPECT_EQ(n, 1);
  EXPECT_THROW(in_parallel(10, 2,
                           [](std::int64_t i) {
                             if (i == 3) throw Error(ErrorCode::kInternal, "three");
                           }),
               Error);
}

}  // namespace
}  // namespace qingyin::training
