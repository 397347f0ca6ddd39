#include "training/scenes/scene.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <set>

#include "core/error.h"
#include "core/event_io.h"

namespace qingyin::training {
namespace {

SceneConfig small(std::uint64_t seed) {
  return {.seed = seed, .width = 256, .height = 144, .rate = {30, 1}, .duration = Seconds(6)};
}

/// Mean absolute difference of two pictures inside a box around a position, in 8-bit steps.
double change_near(const Scene& scene, std::int64_t frame, const std::array<double, 2>& position) {
  const auto now = scene.render(frame), before = scene.render(frame - 1);
  const int width = scene.config().width, height = scene.config().height;
  const int x = static_cast<int>((position[0] + 1) / 2 * width);
  const int y = static_cast<int>((1 - position[1]) / 2 * height);
  double sum = 0;
  int count = 0;
  for (int row = std::max(0, y - 30); row < std::min(height, y + 8); ++row)
    for (int column = std::max(0, x - 14); column < std::min(width, x + 14); ++column) {
      const std::size_t at = (static_cast<std::size_t>(row) * width + column) * 3;
      sum += std::abs(now[at] - before[at]);
      ++count;
    }
  return sum / count;
}

TEST(Scene, SameSeedSamePictureOtherSeedOtherPicture) {
  const Scene a(small(3)), again(small(3)), other(small(4));
  EXPECT_EQ(a.render(40), again.render(40));
  EXPECT_NE(a.render(40), other.render(40));
}

TEST(Scene, TruthIsAValidTimelineWithSoundsOfSeveralMaterials) {
  const Scene scene(small(1));
  const EventTimeline truth = scene.truth();
  EXPECT_TRUE(problems(truth).empty());
  ASSERT_GE(truth.events.size(), 6U);
  std::set<std::string> materials;
  for (const SoundEvent& event : truth.events) materials.insert(event.material);
  EXPECT_GE(materials.size(), 2U);
}

// The picture must show what the truth says: just before a strike something moves fast there, and
// the frame after the contact no longer does.
TEST(Scene, MotionStopsWhereAndWhenTheHammerStrikes) {
  const Scene scene(small(2));
  int checked = 0;
  for (const SoundEvent& event : scene.truth().events) {
    if (event.material != "metal") continue;
    const auto contact = static_cast<std::int64_t>(std::ceil(event.onset.count() * 30));
    if (contact + 3 >= scene.frames() || contact < 3) continue;
    const double before = change_near(scene, contact - 1, *event.position);
    const double after = change_near(scene, contact + 2, *event.position);
    EXPECT_GT(before, 3 * after + 0.5) << "strike at " << event.onset.count();
    ++checked;
  }
  EXPECT_GE(checked, 2);
}

TEST(Scene, RefusesWhatItCannotDraw) {
  SceneConfig square = small(0);
  square.height = 256;
  EXPECT_THROW(Scene{square}, Error);
  SceneConfig endless = small(0);
  endless.rate = {0, 1};
  EXPECT_THROW(Scene{endless}, Error);
}

}  // namespace
}  // namespace qingyin::training
