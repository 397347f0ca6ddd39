#include "sync/align.h"

#include <gtest/gtest.h>

#include "core/dsp/onset.h"
#include "core/error.h"
#include "sync/stem_block.h"
#include "tests/dsp/signals.h"

namespace qingyin::test {
namespace {

/// An attack at `attack_s` in a sound that claims to begin at `lead_s`.
EventSound burst(double lead_s, double attack_s, double decay_s = 0.1) {
  std::vector<float> x(48000);
  add_burst(x, std::llround(attack_s * 48000), 0.2, decay_s, 41);
  return {.audio = {.samples = std::move(x)}, .lead = Seconds(lead_s)};
}

/// Noise that rises to its level in `rise_s`, from `lead_s` on.
EventSound swell(double lead_s, double rise_s, double length_s) {
  auto x = noise(0.05, std::llround((lead_s + length_s) * 48000), 42);
  for (std::size_t n = 0; n < x.size(); ++n)
    x[n] *= static_cast<float>(
        std::clamp((static_cast<double>(n) / 48000 - lead_s) / rise_s, 0.0, 1.0));
  return {.audio = {.samples = std::move(x)}, .lead = Seconds(lead_s)};
}

/// The sound on a clip of `length_s` with nothing else in it.
std::vector<float> on_clip(const PlacedSound& placed, double length_s) {
  std::vector<float> clip(static_cast<std::size_t>(length_s * 48000));
  for (std::size_t n = 0; n < placed.samples.size(); ++n) {
    const auto at = static_cast<std::size_t>(placed.start) + n;
    if (at < clip.size()) clip[at] = placed.samples[n];
  }
  return clip;
}

float peak(const std::vector<float>& x, double from_s, double to_s) {
  float most = 0;
  for (auto n = static_cast<std::size_t>(from_s * 48000);
       n < std::min(x.size(), static_cast<std::size_t>(to_s * 48000)); ++n)
    most = std::max(most, std::abs(x[n]));
  return most;
}

constexpr float kMinus50Dbfs = 0.00316F;

TEST(Align, PutsTheAttackOnTheOnset) {
  for (const double attack : {0.0, 0.02, 0.05, 0.09, 0.19})
    for (const double wanted : {0.0, 0.0013, 0.5, 2.3456}) {
      const auto placed = align(burst(0.05, attack), {.onset = Seconds(wanted), .release = {}});
      ASSERT_TRUE(placed.onset);
      EXPECT_NEAR(placed.onset->count(), wanted, 0.001) << attack;
      EXPECT_GE(placed.start, 0);
      EXPECT_NEAR(sound_start(on_clip(placed, 4), 48000)->count(), wanted, 0.001) << attack;
    }
}

TEST(Align, ScorerFindsTheOnsetOfHardAndSoftAttacks) {
  const EventSound sounds[] = {burst(0.05, 0.06), swell(0.05, 0.02, 1), swell(0.05, 0.1, 1),
                               swell(0.1, 0.4, 2)};
  for (const EventSound& sound : sounds) {
    const auto placed = align(sound, {.onset = Seconds(1.2), .release = {}});
    const auto found = find_onsets(on_clip(placed, 4), 48000);
    ASSERT_FALSE(found.empty());
    EXPECT_NEAR(found.front().count(), 1.2, 0.01);
    EXPECT_NEAR(placed.onset->count(), 1.2, 0.01);
  }
}

TEST(Align, IsSilentBeforeTheOnset) {
  EventSound sound = burst(0.1, 0.1);
  for (std::size_t n = 0; n < 4800; ++n) sound.audio.samples[n] += n % 2 == 0 ? 0.02F : -0.02F;
  const auto clip = on_clip(align(sound, {.onset = Seconds(1), .release = {}}), 3);
  EXPECT_LT(peak(clip, 0, 0.9965), kMinus50Dbfs);
  EXPECT_EQ(peak(clip, 0, 0.9965), 0.0F);
  EXPECT_GT(peak(clip, 1, 1.01), 0.1F);
}

TEST(Align, ReleasesWhatIsSustained) {
  const auto placed = align(swell(0.05, 0.01, 3), {.onset = Seconds(1), .release = Seconds(2.5)});
  const auto clip = on_clip(placed, 5);
  EXPECT_GT(peak(clip, 2.4, 2.5), 0.1F);
  EXPECT_GT(peak(clip, 2.5, 2.55), 0.05F) << "cut off instead of released";
  EXPECT_EQ(peak(clip, 2.6501, 5), 0.0F);
}

TEST(Align, LetsAOneShotRingOut) {
  const EventSound sound = burst(0.05, 0.05, 0.1);
  const auto placed = align(sound, {.onset = Seconds(1), .release = {}});
  EXPECT_EQ(placed.samples.size(), 48000U - 2400 + 144);
  for (std::size_t n = 144; n < placed.samples.size() - 480; ++n)
    ASSERT_EQ(placed.samples[n], sound.audio.samples[n + 2400 - 144]) << n;
}

TEST(Align, NeverEndsInAStep) {
  for (const std::optional<Seconds> release :
       {std::optional<Seconds>(), {Seconds(1.5)}, {Seconds(1.0)}}) {
    EventSound sound = swell(0, 0.001, 0.6);
    const auto placed = align(sound, {.onset = Seconds(1), .release = release});
    ASSERT_FALSE(placed.samples.empty());
    EXPECT_LT(std::abs(placed.samples.back()), 0.001F);
    EXPECT_LT(std::abs(placed.samples.front()), 0.001F);
  }
}

TEST(Align, TakesAnotherRateAndSilence) {
  EventSound slow{.audio = {.samples = std::vector<float>(16000), .sample_rate_hz = 16000},
                  .lead = Seconds(0.1)};
  add_burst(slow.audio.samples, 1600, 0.2, 0.1, 43, 16000);
  const auto placed = align(slow, {.onset = Seconds(0.7), .release = {}});
  EXPECT_NEAR(sound_start(on_clip(placed, 2), 48000)->count(), 0.7, 0.001);

  const EventSound silent{.audio = {.samples = std::vector<float>(4800)}, .lead = Seconds(0.05)};
  EXPECT_FALSE(measure_onset(silent));
  EXPECT_FALSE(align(silent, {.onset = Seconds(0.7), .release = {}}).onset);
  const EventSound empty{};
  EXPECT_TRUE(align(empty, {.onset = Seconds(0.7), .release = Seconds(1)}).samples.empty());
}

TEST(Align, ALaterSwellIsNotTheOnset) {
  EventSound sound = burst(0.05, 0.05, 0.02);
  add_burst(sound.audio.samples, 24000, 0.8, 0.1, 44);
  EXPECT_NEAR(measure_onset(sound)->count(), 0.05, 0.001);
}

TEST(Align, RefusesWhatCannotBe) {
  EventSound stereo = burst(0.05, 0.05);
  stereo.audio.channels = 2;
  EXPECT_THROW(align(stereo, {.onset = Seconds(1), .release = {}}), Error);
  EXPECT_THROW(align(burst(0, 0), {.onset = Seconds(-1), .release = {}}), Error);
  EXPECT_THROW(align(burst(0, 0), {.onset = Seconds(2), .release = Seconds(1)}), Error);
}

}  // namespace
}  // namespace qingyin::test
