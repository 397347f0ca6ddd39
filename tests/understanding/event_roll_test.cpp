#include "understanding/event_roll.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "models/checkpoint/load_weights.h"
#include "tests/support/temporary_folder.h"
#include "training/scenes/film.h"
#include "understanding/detector_network.h"
#include "understanding/roll_view.h"

namespace qingyin {
namespace {

std::filesystem::path random_weights(const std::filesystem::path& folder) {
  at::manual_seed(5);
  DetectorNetwork network;
  const auto path = folder / "detector.safetensors";
  write_safetensors(path, weights_of(*network), {}, Overwrite::kYes);
  return path;
}

std::vector<MotionMap> some_maps(std::uint64_t index, double seconds) {
  const training::Film film = training::shoot_film(9, index, seconds);
  std::vector<MotionMap> maps;
  for (std::size_t i = 1; i < film.frames.size(); ++i)
    maps.push_back(map_motion(film.frames[i - 1].picture, film.frames[i].picture,
                              film.frames[i - 1].time_s, film.frames[i].time_s));
  return maps;
}

void expect_same(const std::vector<RollStep>& a, const std::vector<RollStep>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_DOUBLE_EQ(a[i].start_s, b[i].start_s);
    EXPECT_NEAR(a[i].onset, b[i].onset, 1e-4) << "step " << i;
    EXPECT_NEAR(a[i].onset_s, b[i].onset_s, 1e-4);
    for (std::size_t k = 0; k < kLastingKinds; ++k)
      EXPECT_NEAR(a[i].lasting[k], b[i].lasting[k], 1e-4);
  }
}

TEST(RollStream, SaysTheSameBlockByBlockAsFromTheWholeShot) {
  const test::TemporaryFolder folder;
  const RollNetwork network(random_weights(folder.path()));
  RollStream stream(network);
  std::vector<RollStep> whole, streamed;
  for (const double seconds : {12.0, 0.5}) {  // two shots
    const auto maps = some_maps(1, seconds);
    const auto read = network.read(maps);
    whole.insert(whole.end(), read.begin(), read.end());
    for (const MotionMap& map : maps) {
      stream.add(map);
      for (const RollStep& step : stream.take()) streamed.push_back(step);
    }
    stream.end_shot();
    for (const RollStep& step : stream.take()) streamed.push_back(step);
  }
  expect_same(streamed, whole);
}

TEST(RollNetwork, SeesAtMostFourSecondsBackAndAboutFourTenthsAhead) {
  const DetectorNetwork network;
  EXPECT_LE(static_cast<double>(network->past_maps()) / 15, 4.1);
  EXPECT_LE(static_cast<double>(network->future_maps()) / 25, 0.41);
  std::int64_t parameters = 0;
  for (const auto& p : network->parameters()) parameters += p.numel();
  EXPECT_LT(parameters, 1'500'000);
}

TEST(RollNetwork, StatedViewIsTrue) {
  const test::TemporaryFolder folder;
  const RollNetwork network(random_weights(folder.path()));
  auto maps = some_maps(2, 8);
  ASSERT_GT(maps.size(), network.past_maps() + network.future_maps() + 3);
  const auto before = network.read(maps);
  const std::size_t changed = network.future_maps() + 5;
  for (float& v : maps[changed].values) v += 1;
  const auto after = network.read(maps);
  const std::size_t first = changed - network.future_maps(), last = changed + network.past_maps();
  for (std::size_t i = 0; i < maps.size(); ++i) {
    if (i >= first && i <= last) continue;
    EXPECT_NEAR(before[i].onset, after[i].onset, 1e-6) << i;
  }
  EXPECT_GT(std::abs(before[changed].onset - after[changed].onset), 1e-6);
}

TEST(RollNetwork, RefusesWhatIsNotItsWeights) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(RollNetwork(folder.path() / "none.safetensors"), Error);
  const auto other = folder.path() / "other.safetensors";
  write_safetensors(other, {{"x", at::zeros({2})}}, {}, Overwrite::kYes);
  EXPECT_THROW(RollNetwork{other}, Error);
}

RollStep step_at(double time_s, double onset, OnsetKind kind, float sure) {
  RollStep step{
      .start_s = time_s - 0.01, .end_s = time_s + 0.03, .onset = onset, .onset_s = time_s};
  step.kinds[static_cast<std::size_t>(kind)] = sure;
  return step;
}

TEST(RollView, SpeaksForWhatIsNearAndNamesOnlyWhatIsSure) {
  const std::vector<RollStep> steps{
      step_at(1.0, 0.9, OnsetKind::kFootstep, 0.99F), step_at(1.04, 0.2, OnsetKind::kDrop, 0.99F),
      step_at(3.0, 0.9, OnsetKind::kDrop, 0.6F), step_at(5.0, 0.3, OnsetKind::kExplosion, 0.99F)};
  EXPECT_NEAR(seen_onset(steps, 1.02), std::log(9.0), 1e-6);
  EXPECT_LT(seen_onset(steps, 2), -5);
  EXPECT_EQ(seen_onset({}, 2), 0);
  EXPECT_EQ(seen_kind(steps, 1.02), OnsetKind::kFootstep);
  EXPECT_EQ(seen_kind(steps, 3), OnsetKind::kImpact);
  EXPECT_EQ(seen_kind(steps, 5), OnsetKind::kImpact);
}

TEST(LastingView, NamesWhatGoesOnMostOfTheTime) {
  LastingView view;
  for (int i = 0; i < 100; ++i) {
    RollStep step{.start_s = 0.1 * i, .end_s = 0.1 * (i + 1)};
    step.lasting[static_cast<std::size_t>(LastingKind::kFire)] = i < 50 ? 0.95F : 0.1F;
    view.add(step);
  }
  EXPECT_EQ(view.sure_kind(0, 5), LastingKind::kFire);
  EXPECT_EQ(view.sure_kind(5, 10), std::nullopt);
  EXPECT_EQ(view.sure_kind(20, 30), std::nullopt);
}

}  // namespace
}  // namespace qingyin
