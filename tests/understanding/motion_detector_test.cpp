#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "tests/understanding/scene.h"
#include "understanding/evidence.h"
#include "understanding/understanding.h"

namespace qingyin::test {
namespace {

constexpr double kFrame = 1.0 / 30;

EventTimeline understood(const Scene& scene, const std::vector<double>& times, double duration_s,
                         const MotionDetectorOptions& options = {}) {
  SceneReader reader(scene, times, duration_s);
  return make_motion_detector(options)->describe(reader);
}

// A hammer head falls on a block at the given times and rests there for a moment, is lifted slowly
// and falls again.
double hammer_height(double t, const std::vector<double>& blows) {
  constexpr double kFall = 0.2, kDrop = 80, kRest = 0.15, kLift = 0.4;
  double height = kDrop;
  for (const double blow : blows) {
    const double before = blow - t, after = t - blow;
    if (before > 0 && before < kFall) {
      const double fallen = 1 - before / kFall;
      height = std::min(height, kDrop * (1 - fallen * fallen));
    } else if (after >= 0 && after < kRest) {
      height = 0;
    } else if (after >= kRest && after < kRest + kLift) {
      height = std::min(height, kDrop * (after - kRest) / kLift);
    }
  }
  return height;
}

Scene hammer(const std::vector<double>& blows, double x = 200) {
  return [=](double px, double py, double t) {
    return disc(backdrop(px, py), px, py, x, 130 - hammer_height(t, blows), 18);
  };
}

const std::vector<double> kBlows = {0.817, 1.741, 2.603, 3.559};

void expect_blows(const EventTimeline& timeline, const std::vector<double>& blows,
                  double tolerance_s) {
  ASSERT_EQ(timeline.events.size(), blows.size());
  for (std::size_t i = 0; i < blows.size(); ++i)
    EXPECT_NEAR(timeline.events[i].onset.count(), blows[i] + kStopLag, tolerance_s) << "blow " << i;
}

TEST(MotionDetector, FindsBlowsBetweenFrames) {
  const EventTimeline timeline = understood(hammer(kBlows), even_times(4.5, 30), 4.5);
  expect_blows(timeline, kBlows, 0.02);
  for (const SoundEvent& event : timeline.events) {
    EXPECT_EQ(event.label, "impact");
    EXPECT_EQ(event.source, "motion");
    EXPECT_GT(event.offset, event.onset);
    EXPECT_GT(event.intensity, 0.2);
    ASSERT_TRUE(event.position.has_value());
    EXPECT_NEAR((*event.position)[0], 200 / 160.0 - 1, 0.15);
    EXPECT_LT((*event.position)[1], 0);
  }
  EXPECT_EQ(timeline.made_by.detector, "motion/1");
  EXPECT_EQ(timeline.events[0].id, "e1");
  EXPECT_NE(timeline.events[0].seed, timeline.events[1].seed);
  EXPECT_EQ(timeline.clip.path, "scene.mp4");
}

TEST(MotionDetector, ThreadsChangeNothing) {
  const auto times = even_times(4.5, 30);
  EXPECT_EQ(understood(hammer(kBlows), times, 4.5, {.threads = 1}),
            understood(hammer(kBlows), times, 4.5, {.threads = 3}));
}

// The scene as a camera of 25 frames per second sees it, with grain: `frame` counts its pictures.
double filmed(const Scene& scene, double x, double y, int frame) {
  const auto grain = static_cast<std::int64_t>(frame) * 1000003 +
                     static_cast<std::int64_t>(y) * 1009 + static_cast<std::int64_t>(x);
  return scene(x, y, frame / 25.0) + 8 * (hash01(grain) - 0.5);
}

TEST(MotionDetector, RepeatedFramesChangeNothing) {
  const Scene blows = hammer(kBlows);
  const Scene plain = [&](double x, double y, double t) {
    return filmed(blows, x, y, static_cast<int>(std::lround(t * 25)));
  };
  // Stored as 30 frames per second: every sixth frame shows its predecessor again.
  const Scene stored = [&](double x, double y, double t) {
    const auto slot = static_cast<int>(std::lround(t * 30));
    return filmed(blows, x, y, slot / 6 * 5 + std::min(slot % 6, 4));
  };
  const EventTimeline once = understood(plain, even_times(4.5, 25), 4.5);
  const EventTimeline repeated = understood(stored, even_times(4.5, 30), 4.5);
  expect_blows(once, kBlows, 0.02);
  expect_blows(repeated, kBlows, 0.03);
}

TEST(MotionDetector, KeepsTimeWhenTheRateVaries) {
  std::vector<double> times;
  for (double t = 0; t < 4.5; t += kFrame * (1 + 0.5 * hash01(static_cast<int>(1000 * t))))
    times.push_back(t);
  expect_blows(understood(hammer(kBlows), times, 4.5), kBlows, 0.03);
}

TEST(MotionDetector, HarderBlowIsMoreIntense) {
  const Scene soft = [](double x, double y, double t) {
    return disc(backdrop(x, y), x, y, 200, 130 - hammer_height(t, kBlows) * 0.2, 18);
  };
  const auto times = even_times(4.5, 30);
  const EventTimeline weak = understood(soft, times, 4.5);
  const EventTimeline strong = understood(hammer(kBlows), times, 4.5);
  ASSERT_FALSE(weak.events.empty());
  ASSERT_FALSE(strong.events.empty());
  EXPECT_GT(strong.events[0].intensity, weak.events[0].intensity + 0.1);
}

TEST(MotionDetector, StartFromRestIsAnEvent) {
  const Scene shot = [](double x, double y, double t) {
    const double since = t - 2.0;
    const double flash = since >= 0 ? 120 * std::exp(-since / 0.08) : 0;
    const double glow = flash * std::exp(-(std::pow(x - 80, 2) + std::pow(y - 60, 2)) / 2000);
    return backdrop(x, y) * 0.6 + glow;
  };
  const EventTimeline timeline = understood(shot, even_times(4, 30), 4);
  ASSERT_EQ(timeline.events.size(), 1U);
  EXPECT_NEAR(timeline.events[0].onset.count(), 2.0, 0.04);
  EXPECT_NEAR((*timeline.events[0].position)[0], -0.5, 0.2);
  EXPECT_NEAR((*timeline.events[0].position)[1], 0.33, 0.25);
}

TEST(MotionDetector, NoiseAndStillPicturesGiveNothing) {
  const Scene noise = [](double x, double y, double t) {
    const auto n = static_cast<std::int64_t>(std::lround(t * 30)) * 1000003 +
                   static_cast<std::int64_t>(y) * 1009 + static_cast<std::int64_t>(x);
    return backdrop(x, y) + 12 * (hash01(n) - 0.5);
  };
  EXPECT_TRUE(understood(noise, even_times(6, 30), 6).events.empty());
  const Scene still = [](double x, double y, double) { return backdrop(x, y); };
  EXPECT_TRUE(understood(still, even_times(3, 30), 3).events.empty());
}

// A coder renews all of a still picture with every key frame.
TEST(MotionDetector, KeyFramesOfAStillPictureGiveNothing) {
  const Scene still = [](double x, double y, double t) {
    const auto n = static_cast<std::int64_t>(t * 2 + 0.01) * 1000003 +
                   static_cast<std::int64_t>(y) * 1009 + static_cast<std::int64_t>(x);
    return backdrop(x, y) + 10 * (hash01(n) - 0.5);
  };
  EXPECT_TRUE(understood(still, even_times(5, 30), 5).events.empty());
}

TEST(MotionDetector, PanAndShakeGiveNothing) {
  const Scene pan = [](double x, double y, double t) {
    return texture(x + 60 * std::sin(0.9 * t), y + 15 * std::sin(1.3 * t));
  };
  const EventTimeline panned = understood(pan, even_times(8, 30), 8);
  EXPECT_TRUE(panned.events.empty()) << panned.events.size();
  EXPECT_TRUE(panned.cuts.empty());
  const Scene shake = [](double x, double y, double t) {
    return texture(x + 3 * std::sin(7.1 * t) + 2 * std::sin(12.7 * t),
                   y + 3 * std::sin(8.3 * t + 1) + 2 * std::sin(11.3 * t));
  };
  EXPECT_LE(understood(shake, even_times(8, 30), 8).events.size(), 1U);
}

TEST(MotionDetector, ACutIsWrittenAndIsNoEvent) {
  const Scene cut = [](double x, double y, double t) {
    return t < 1.99 ? backdrop(x, y) : 255 - texture(2 * x + 40, 1.5 * y + 90);
  };
  const EventTimeline timeline = understood(cut, even_times(4, 30), 4);
  EXPECT_TRUE(timeline.events.empty());
  ASSERT_EQ(timeline.cuts.size(), 1U);
  EXPECT_NEAR(timeline.cuts[0].count(), 2.0, 1e-9);
}

TEST(MotionDetector, ACutDoesNotHideBlows) {
  const Scene blows = hammer(kBlows);
  const Scene cut = [&](double x, double y, double t) {
    return t < 2.15 ? blows(x, y, t) : 255 - blows(x, y, t);
  };
  const EventTimeline timeline = understood(cut, even_times(4.5, 30), 4.5);
  EXPECT_EQ(timeline.cuts.size(), 1U);
  expect_blows(timeline, kBlows, 0.025);
}

TEST(MotionDetector, LongClipGivesTheSameBlowsEverywhere) {
  std::vector<double> blows;
  for (double t = 1.3; t < 39; t += 1.37) blows.push_back(t);
  expect_blows(understood(hammer(blows), even_times(40, 30), 40), blows, 0.025);
}

TEST(MotionDetector, TinyClips) {
  const Scene still = [](double x, double y, double) { return backdrop(x, y); };
  for (const int frames : {1, 2, 3}) {
    const double duration_s = frames * kFrame;
    const EventTimeline timeline = understood(still, even_times(duration_s, 30), duration_s);
    EXPECT_TRUE(timeline.events.empty());
    EXPECT_EQ(timeline.clip.duration, Seconds(duration_s));
  }
  SceneReader small(still, even_times(1, 30), 1, 8, 6);
  EXPECT_TRUE(make_motion_detector()->describe(small).events.empty());
}

TEST(MotionDetector, RefusesWhatItCannotDo) {
  SceneReader empty([](double, double, double) { return 0.0; }, {}, 0);
  const auto detector = make_motion_detector();
  EXPECT_THROW(detector->describe(empty), Error);
  EXPECT_THROW(make_motion_detector({.sensitivity = 1.5}), Error);
  EXPECT_THROW(make_motion_detector({.sensitivity = std::nan("")}), Error);
  EXPECT_THROW(make_motion_detector({.threads = 0}), Error);

  SceneReader reader(hammer(kBlows), even_times(4.5, 30), 4.5);
  try {
    detector->describe(reader, [](std::string_view, double done) { return done < 0.5; });
    FAIL() << "was not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
}

TEST(MotionDetector, SensitivityAddsEvents) {
  const Scene faint = [](double x, double y, double t) {
    return disc(backdrop(x, y), x, y, 200 + 20 * std::sin(9 * t),
                130 - hammer_height(t, kBlows) * 0.3 + 6 * std::sin(17 * t), 12);
  };
  const auto times = even_times(4.5, 30);
  const auto eager = understood(faint, times, 4.5, {.sensitivity = 1}).events.size();
  const auto strict = understood(faint, times, 4.5, {.sensitivity = 0}).events.size();
  EXPECT_GT(eager, strict);
}

}  // namespace
}  // namespace qingyin::test
