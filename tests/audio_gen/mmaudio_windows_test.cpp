#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "audio_gen/mmaudio/event_cut.h"
#include "audio_gen/mmaudio/event_view.h"
#include "audio_gen/mmaudio/latent_track.h"
#include "audio_gen/mmaudio/window_plan.h"

namespace qingyin::mmaudio {
namespace {

double latent_rate(const SoundFormat& format) {
  return format.sample_rate_hz / static_cast<double>(2 * format.hop);
}

TEST(WindowPlan, AShortClipIsOneWindowOfTheSmallestGridLength) {
  for (const auto& [seconds, segments] : std::vector<std::pair<double, std::int64_t>>{
           {0.04, 1}, {0.64, 1}, {0.65, 2}, {2.0, 6}, {7.68, 23}, {7.7, 24}, {8.0, 24}}) {
    const auto plan = plan_windows(sound_44k(), Seconds(seconds), {});
    ASSERT_EQ(plan.windows.size(), 1U) << seconds;
    EXPECT_EQ(plan.windows[0].segments, segments) << seconds;
    EXPECT_TRUE(plan.joins.empty());
    EXPECT_GE(static_cast<double>(plan.latents()) / latent_rate(sound_44k()), seconds - 1e-9);
  }
  EXPECT_EQ(plan_windows(sound_44k(), Seconds(8), {}).latents(), 345);
  EXPECT_EQ(plan_windows(sound_16k(), Seconds(8), {}).latents(), 250);
}

TEST(WindowPlan, LongClipsAreCoveredByOverlappingWindowsOfEightSeconds) {
  for (const SoundFormat& format : {sound_16k(), sound_44k()}) {
    for (double seconds = 8.01; seconds < 90; seconds += 1.37) {
      const auto plan = plan_windows(format, Seconds(seconds), {});
      ASSERT_GE(plan.windows.size(), 2U);
      ASSERT_EQ(plan.joins.size() + 1, plan.windows.size());
      EXPECT_GE(static_cast<double>(plan.latents()) / latent_rate(format), seconds - 1e-9);
      for (std::size_t w = 0; w < plan.windows.size(); ++w) {
        const Window& window = plan.windows[w];
        EXPECT_EQ(window.segments, kWindowSegments);
        const double place = 0.32 * static_cast<double>(window.first_segment) * latent_rate(format);
        EXPECT_NEAR(place, static_cast<double>(window.first_latent), 0.16 + 1e-9);
        EXPECT_NEAR(static_cast<double>(window.first_picture) / 8,
                    0.32 * static_cast<double>(window.first_segment), 1.0 / 16 + 1e-9);
        if (w == 0) continue;
        const double overlap =
            static_cast<double>(plan.windows[w - 1].end_latent() - window.first_latent);
        EXPECT_GE(overlap / latent_rate(format), 0.9) << seconds;
        EXPECT_GE(plan.joins[w - 1].from, window.first_latent);
        EXPECT_LE(plan.joins[w - 1].to, plan.windows[w - 1].end_latent());
      }
    }
  }
}

TEST(WindowPlan, WindowsMeetAtACut) {
  const Seconds cut(6.4);
  const auto plan = plan_windows(sound_44k(), Seconds(13), {cut});
  bool is_met = false;
  for (const Join& join : plan.joins) {
    const double place = cut.count() * latent_rate(sound_44k());
    is_met |= join.to - join.from <= 8 && static_cast<double>(join.from) < place &&
              place < static_cast<double>(join.to);
  }
  EXPECT_TRUE(is_met);
}

TEST(WindowPlan, AJoinGoesFromTheEarlierWindowToTheLater) {
  const Join join{10, 20};
  EXPECT_EQ(join.earlier(9), 1);
  EXPECT_EQ(join.earlier(20), 0);
  for (std::int64_t i = 10; i < 19; ++i) EXPECT_GT(join.earlier(i), join.earlier(i + 1));
}

TEST(WindowPlan, EndlessWindowsKeepOverlapping) {
  for (std::int64_t i = 0; i < 40; ++i) {
    const Join join = endless_join(sound_44k(), i);
    EXPECT_GT(join.to, join.from);
    EXPECT_EQ(join.from, endless_window(sound_44k(), i + 1).first_latent);
  }
}

TEST(NoiseOfSeed, DependsOnSeedAndPlaceAlone) {
  const auto noise = noise_of_seed(3, 40);
  const auto all = noise(0, 100);
  const auto part = noise(37, 20);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + 37 * 40));
  EXPECT_NE(noise_of_seed(4, 40)(0, 100), all);
  double sum = 0, squares = 0;
  for (const float x : all) sum += x, squares += x * x;
  EXPECT_NEAR(sum / 4000, 0, 0.05);
  EXPECT_NEAR(squares / 4000, 1, 0.1);
}

/// A spectrogram of silence with decaying strokes at some frames.
std::vector<float> strokes(const std::vector<std::pair<std::int64_t, double>>& levels,
                           std::int64_t frames) {
  std::vector<float> mel(static_cast<std::size_t>(frames * 80), -4.0F);
  for (const auto& [at, level] : levels)
    for (std::int64_t f = at; f < frames; ++f)
      for (std::int64_t b = 0; b < 80; ++b) {
        float& v = mel[static_cast<std::size_t>(f * 80 + b)];
        v = std::max(v, static_cast<float>(level - 0.05 * static_cast<double>(f - at)));
      }
  return mel;
}

TEST(EventCut, TakesTheStrongestStrokeUntilTheNext) {
  const auto mel = strokes({{50, -1.5}, {150, 0.5}, {200, 0.3}}, 500);
  const auto cut = cut_event(mel, sound_16k(), Seconds(0.1), false);
  EXPECT_NEAR(static_cast<double>(cut.attack), 150, 1);
  EXPECT_LT(cut.begin, cut.attack);
  EXPECT_NEAR(static_cast<double>(cut.end), 199, 3);
}

TEST(EventCut, LooksWhereTheSoundIsExpected) {
  const auto mel = strokes({{70, -1.5}, {250, 0.5}}, 500);
  const auto cut = cut_event(mel, sound_16k(), Seconds(0.1), false, Seconds(72 * 256 / 16000.0));
  EXPECT_NEAR(static_cast<double>(cut.attack), 70, 1);
  std::vector<float> lasting(500 * 80, -4.0F);
  std::fill(lasting.begin() + 10 * 80, lasting.begin() + 20 * 80, 0.0F);
  std::fill(lasting.begin() + 100 * 80, lasting.begin() + 400 * 80, 0.0F);
  EXPECT_EQ(cut_event(lasting, sound_16k(), Seconds(2), true).attack, 10);
  EXPECT_EQ(cut_event(lasting, sound_16k(), Seconds(2), true, Seconds(1.7)).attack, 100);
}

/// Rows that say where they stand: 1 + their number, in every place.
class CountingSenses : public ClipSenses {
 public:
  FeatureTensor pictures(std::int64_t first, std::int64_t count) override {
    return rows(first, count, kClipSize, 1);
  }
  FeatureTensor motion(std::int64_t first, std::int64_t count) override {
    return rows(first * kSegmentTokens, count * kSegmentTokens, kSyncSize, 1);
  }
  static constexpr std::int64_t kClipSize = 3, kSyncSize = 2;

 private:
  static FeatureTensor rows(std::int64_t first, std::int64_t count, std::int64_t width, int from) {
    EXPECT_GE(first, 0);
    FeatureTensor made{.shape = {count, width}, .values = {}, .hop = Seconds(0)};
    for (std::int64_t i = 0; i < count * width; ++i)
      made.values.push_back(static_cast<float>(from + first + i / width));
    return made;
  }
};

TEST(EventView, ShowsThePictureWhileTheEventLastsAndNothingElse) {
  for (const auto& [onset, offset] : {std::pair{2.51, 2.77}, {0.1, 0.35}, {7.3, 12.0}}) {
    const EventView view{Seconds(onset), Seconds(offset)};
    EXPECT_GE(view.onset().count(), 1 - 1e-9);
    EXPECT_LT(view.onset().count(), 1.32 + 1e-9);
    const double own_begin = onset - view.onset().count();  // on the clip's clock
    CountingSenses senses;
    for (const Window& window : plan_windows(sound_16k(), Seconds(8), {}).windows) {
      const auto sight =
          view.look(window, senses, CountingSenses::kClipSize, CountingSenses::kSyncSize);
      ASSERT_EQ(std::ssize(sight.clip_seen), window.pictures);
      ASSERT_EQ(std::ssize(sight.sync_seen), window.segments * kSegmentTokens);
      int seen_pictures = 0, seen_tokens = 0;
      for (std::int64_t i = 0; i < window.pictures; ++i) {
        const auto picture = std::llround(own_begin * 8) + window.first_picture + i;
        const double t = static_cast<double>(picture) / 8;
        const bool wanted = picture >= 0 && t >= onset - 0.16 && t <= offset + 0.16;
        EXPECT_EQ(sight.clip_seen[static_cast<std::size_t>(i)] != 0, wanted) << t;
        seen_pictures += wanted;
        for (std::int64_t k = 0; k < CountingSenses::kClipSize; ++k)
          EXPECT_EQ(sight.clip[static_cast<std::size_t>(i * CountingSenses::kClipSize + k)],
                    wanted ? static_cast<float>(1 + picture) : 0);
      }
      for (std::int64_t i = 0; i < window.segments * kSegmentTokens; ++i) {
        const auto segment = std::llround(own_begin / 0.32) + window.first_segment + i / 8;
        const double t = 0.32 * static_cast<double>(segment) + 0.08 * (i % 8) + 0.04;
        const bool wanted = segment >= 0 && t >= onset - 0.16 && t <= offset + 0.16;
        EXPECT_EQ(sight.sync_seen[static_cast<std::size_t>(i)] != 0, wanted) << t;
        seen_tokens += wanted;
        EXPECT_EQ(sight.sync[static_cast<std::size_t>(i * CountingSenses::kSyncSize)],
                  wanted ? static_cast<float>(1 + segment * 8 + i % 8) : 0);
      }
      EXPECT_EQ(sight.sees_nothing, seen_pictures + seen_tokens == 0);
      EXPECT_GT(seen_tokens, 0);
    }
  }
}

TEST(EventCut, TakesALastingSoundFromItsBeginOn) {
  std::vector<float> mel(500 * 80, -4.0F);
  std::fill(mel.begin() + 100 * 80, mel.begin() + 400 * 80, 0.0F);
  const auto cut = cut_event(mel, sound_16k(), Seconds(2), true);
  EXPECT_EQ(cut.attack, 100);
  EXPECT_NEAR(static_cast<double>(cut.end - cut.attack), 2.5 * 16000 / 256, 1);
}

}  // namespace
}  // namespace qingyin::mmaudio
