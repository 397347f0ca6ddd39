#include "understanding/shot_tracker.h"

#include <gtest/gtest.h>

#include "understanding/evidence.h"

namespace qingyin::test {
namespace {

// Motion in one cell that runs for some samples and stops at the given frame numbers.
MotionSample sample_at(int index, int period) {
  MotionSample s{.start_s = index / 30.0, .end_s = (index + 1) / 30.0};
  const int phase = index % period;
  const float speed = phase >= period - 5 ? 40.0F * static_cast<float>(phase - period + 6) : 0.0F;
  s.down[20] = speed;
  s.change.fill(1);
  s.change[20] = 5 + speed;
  s.level = 10 + speed / 10;
  return s;
}

std::vector<PickedEvent> tracked(int samples, int period) {
  ShotTracker tracker(0.5);
  std::vector<PickedEvent> all;
  for (int i = 0; i < samples; ++i) {
    tracker.add(sample_at(i, period));
    for (const PickedEvent& e : tracker.take()) all.push_back(e);
  }
  tracker.end_shot(samples / 30.0);
  for (const PickedEvent& e : tracker.take()) all.push_back(e);
  return all;
}

TEST(ShotTracker, EveryStopOfALongShotIsFoundOnce) {
  constexpr int kPeriod = 37, kSamples = 30 * 70;
  const auto events = tracked(kSamples, kPeriod);
  ASSERT_EQ(events.size(), static_cast<std::size_t>(kSamples / kPeriod));
  for (std::size_t i = 0; i < events.size(); ++i)
    EXPECT_NEAR(events[i].time_s, static_cast<double>(i + 1) * kPeriod / 30 + kStopLag, 0.012);
}

// The first seconds are decided long before the end, and later ones do not change them.
TEST(ShotTracker, DecidesWhileItListens) {
  ShotTracker tracker(0.5);
  std::vector<PickedEvent> early;
  for (int i = 0; i < 30 * 30; ++i) {
    tracker.add(sample_at(i, 37));
    for (const PickedEvent& e : tracker.take()) early.push_back(e);
  }
  const auto whole = tracked(30 * 70, 37);
  ASSERT_GT(early.size(), 10U);
  for (std::size_t i = 0; i < early.size(); ++i) EXPECT_DOUBLE_EQ(early[i].time_s, whole[i].time_s);
}

TEST(ShotTracker, EmptyShotsAreFine) {
  ShotTracker tracker(0.5);
  tracker.end_shot(1);
  tracker.add(sample_at(0, 37));
  tracker.end_shot(2);
  EXPECT_TRUE(tracker.take().empty());
}

}  // namespace
}  // namespace qingyin::test
