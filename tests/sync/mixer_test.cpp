#include "sync/mixer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <thread>

#include "core/error.h"
#include "sync/pan.h"
#include "tests/dsp/signals.h"

namespace qingyin::test {
namespace {

struct Item {
  MixPlace place;
  std::vector<float> mono;
};

std::vector<Item> items(int count) {
  std::mt19937 generator(51);
  std::vector<Item> result;
  for (int i = 0; i < count; ++i)
    result.push_back({{.id = "e" + std::to_string(i),
                       .lane = generator() % 2,
                       .start = static_cast<std::int64_t>(generator() % 20000 / 100 * 100),
                       .gain_db = -static_cast<double>(generator() % 20),
                       .pan = static_cast<double>(generator() % 200) / 100 - 1},
                      noise(0.1, 1000 + generator() % 5000, static_cast<unsigned>(i))});
  return result;
}

StemBlock all_of(Mixer& mixer, std::int64_t length, std::int64_t block) {
  StemBlock all{.length = length, .stems = std::vector<std::vector<float>>(mixer.lanes().size())};
  for (std::int64_t at = 0; at < length; at += block) {
    const StemBlock next = mixer.take(std::min(block, length - at));
    for (std::size_t lane = 0; lane < next.stems.size(); ++lane)
      all.stems[lane].insert(all.stems[lane].end(), next.stems[lane].begin(),
                             next.stems[lane].end());
  }
  return all;
}

TEST(Mixer, AddsSoundsWithGainAndPan) {
  Mixer mixer({"a", "b"});
  mixer.add({.id = "x", .lane = 1, .start = 3, .gain_db = -20, .pan = 1}, {1, 2});
  mixer.add({.id = "y", .lane = 1, .start = 4}, {10});
  const StemBlock got = mixer.take(6);
  ASSERT_EQ(got.stems.size(), 2U);
  EXPECT_EQ(got.stems[0], std::vector<float>(12));
  const float middle = 10 * std::sqrt(0.5F);
  const std::vector<float> want = {0, 0, 0, 0, 0, 0, 0, 0.1F, middle, middle + 0.2F, 0, 0};
  for (std::size_t n = 0; n < want.size(); ++n) EXPECT_NEAR(got.stems[1][n], want[n], 1e-5) << n;
  EXPECT_EQ(mixer.position(), 6);
}

TEST(Mixer, OrderThreadsAndBlocksChangeNothing) {
  auto list = items(60);
  Mixer reference({"a", "b"});
  for (const Item& item : list) reference.add(item.place, item.mono);
  const StemBlock want = all_of(reference, 26000, 26000);

  std::shuffle(list.begin(), list.end(), std::mt19937(52));
  Mixer mixer({"a", "b"});
  const auto add = [&](std::size_t from) {
    for (std::size_t i = from; i < list.size(); i += 2) mixer.add(list[i].place, list[i].mono);
  };
  std::thread odd(add, 1);
  add(0);
  odd.join();
  EXPECT_EQ(all_of(mixer, 26000, 777).stems, want.stems);
}

TEST(Mixer, ASoundAloneIsTheSameInCompany) {
  const MixPlace locked{.id = "locked", .lane = 0, .start = 100, .gain_db = -3, .pan = -0.4};
  const auto sound = noise(0.1, 500, 53);
  Mixer alone({"a"});
  alone.add(locked, sound);
  Mixer company({"a"});
  company.add({.id = "before", .lane = 0, .start = 0}, noise(0.1, 100, 54));
  company.add(locked, sound);
  company.add({.id = "after", .lane = 0, .start = 600}, noise(0.1, 100, 55));
  const auto a = alone.take(700).stems[0], c = company.take(700).stems[0];
  EXPECT_TRUE(std::equal(a.begin() + 200, a.begin() + 1200, c.begin() + 200));
  EXPECT_NE(a, c);
}

/// Counts up, so that a seam shows.
class Counter : public SoundStream {
 public:
  void read(std::span<float> mono) override {
    for (float& sample : mono) sample = static_cast<float>(next_++);
  }

 private:
  int next_ = 1000;
};

TEST(Mixer, StreamsWithoutSeamsAndFadesThem) {
  Mixer mixer({"bed"});
  mixer.add_stream({.id = "a1", .lane = 0, .start = 50, .pan = -1}, std::make_unique<Counter>(),
                   {.end = 950, .fade_in = Seconds(0.001), .fade_out = Seconds(0.002)});
  const auto got = all_of(mixer, 1100, 64).stems[0];
  for (std::size_t n = 0; n < 1100; ++n) {
    const float left = got[2 * n];
    const auto whole = static_cast<float>(1000 + static_cast<int>(n) - 50);
    if (n < 50 || n >= 950)
      EXPECT_EQ(left, 0) << n;
    else if (n < 98 || n >= 854)
      EXPECT_LT(left, whole) << n;
    else
      EXPECT_EQ(left, whole) << n;
  }
  EXPECT_LT(got[100], 10);
  EXPECT_LT(got[2 * 949], 10);
}

TEST(Mixer, AStreamShorterThanItsFadesStillFades) {
  Mixer mixer({"bed"});
  mixer.add_stream({.id = "a1", .lane = 0, .start = 0, .pan = -1}, std::make_unique<Counter>(),
                   {.end = 100});
  const auto got = mixer.take(100).stems[0];
  EXPECT_LT(got[0], 10);
  EXPECT_GT(got[100], 900);
  EXPECT_LT(got[198], 10);
}

TEST(Mixer, RefusesWhatComesTooLateOrTwice) {
  Mixer mixer({"a"});
  mixer.take(100);
  EXPECT_THROW(mixer.add({.id = "x", .lane = 0, .start = 99}, {1}), Error);
  EXPECT_THROW(mixer.add({.id = "x", .lane = 1, .start = 100}, {1}), Error);
  EXPECT_NO_THROW(mixer.add({.id = "x", .lane = 0, .start = 100}, {1}));
  EXPECT_THROW(mixer.add({.id = "x", .lane = 0, .start = 100}, {1}), Error);
  EXPECT_THROW(mixer.add_stream({.id = "y", .lane = 0, .start = 100}, nullptr, {.end = 200}),
               Error);
}

TEST(Mixer, LouderIsLouder) {
  double before = 0;
  for (const double gain : {-40.0, -20.0, -6.0, 0.0}) {
    Mixer mixer({"a"});
    mixer.add({.id = "x", .lane = 0, .start = 0, .gain_db = gain}, noise(0.1, 1000, 56));
    const auto got = mixer.take(1000).stems[0];
    const double energy = std::inner_product(got.begin(), got.end(), got.begin(), 0.0);
    EXPECT_GT(energy, 2 * before);
    before = energy;
  }
}

TEST(Mixer, NeedsNoLane) {
  Mixer mixer({});
  const StemBlock block = mixer.take(10);
  EXPECT_TRUE(block.stems.empty());
  EXPECT_EQ(sum_of(block), std::vector<float>(20));
}

TEST(Pan, KeepsThePower) {
  for (double pan = -1; pan <= 1; pan += 0.125) {
    const StereoGains gains = pan_gains(pan);
    EXPECT_NEAR(gains.left * gains.left + gains.right * gains.right, 1, 1e-6);
    EXPECT_GE(gains.left + gains.right, 0.9999F) << "a mono downmix loses the sound";
  }
  EXPECT_GT(pan_gains(0.5).right, pan_gains(0.5).left);
  EXPECT_NEAR(pan_gains(-7).left, 1, 1e-6);
}

TEST(Pan, FollowsTheEvent) {
  SoundEvent event;
  EXPECT_EQ(pan_of(event), 0);
  event.position = {0.5, -0.9};
  EXPECT_DOUBLE_EQ(pan_of(event), 0.3);
  event.pan = -1;
  EXPECT_EQ(pan_of(event), -1);
}

}  // namespace
}  // namespace qingyin::test
