#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/sha256.h"
#include "pipeline/event_renderer.h"
#include "pipeline/level_stream.h"
#include "pipeline/report.h"
#include "pipeline/seeds.h"
#include "pipeline/wishes.h"
#include "tests/pipeline/fakes.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

SoundEvent event(const std::string& id, double onset_s, std::uint64_t seed = 0) {
  SoundEvent made;
  made.id = id;
  made.label = "impact";
  made.onset = Seconds(onset_s);
  made.offset = Seconds(onset_s + 0.1);
  made.seed = seed;
  return made;
}

TEST(Seeds, FollowFromTheBaseAndTheIdAlone) {
  EventTimeline together, alone, other_base;
  together.events = {event("a", 0), event("b", 1), event("c", 2, 77)};
  alone.events = {event("b", 9)};
  other_base.events = {event("b", 9)};
  assign_seeds(together, 5);
  assign_seeds(alone, 5);
  assign_seeds(other_base, 6);
  EXPECT_EQ(together.events[1].seed, alone.events[0].seed);
  EXPECT_NE(together.events[0].seed, together.events[1].seed);
  EXPECT_EQ(together.events[2].seed, 77U);
  EXPECT_GT(alone.events[0].seed, 0U);
  EXPECT_LT(alone.events[0].seed, std::uint64_t{1} << 53);
  EXPECT_NE(other_base.events[0].seed, alone.events[0].seed);
}

TEST(Seeds, RerollChangesWhatIsNamedAndUnlocked) {
  EventTimeline timeline;
  timeline.events = {event("a", 0, 1), event("b", 1, 2), event("c", 2, 3)};
  timeline.events[1].locked = true;
  timeline.ambience.emplace_back();
  timeline.ambience[0].id = "a1";
  timeline.ambience[0].seed = 4;
  const auto notes = reroll(timeline, {"b", "c", "a1"}, 0);
  EXPECT_EQ(timeline.events[0].seed, 1U);
  EXPECT_EQ(timeline.events[1].seed, 2U);
  EXPECT_NE(timeline.events[2].seed, 3U);
  EXPECT_NE(timeline.ambience[0].seed, 4U);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("'b'"), std::string::npos);

  const auto once = timeline.events[2].seed;
  reroll(timeline, {"c"}, 0);
  EXPECT_NE(timeline.events[2].seed, once) << "a second re-roll is another sound";
}

TEST(Seeds, RerollOfAnUnknownIdChangesNothing) {
  EventTimeline timeline;
  timeline.events = {event("a", 0, 1)};
  EXPECT_TRUE(throws_error(
      [&] {
        reroll(timeline, {"a", "nobody"}, 0);
      },
      ErrorCode::kUsage, "nobody"));
  EXPECT_EQ(timeline.events[0].seed, 1U);
}

TEST(Wishes, LabelNamesDetectedEventsOnly) {
  const FakeGenerator engine;
  EventTimeline timeline;
  timeline.events = {event("found", 0), event("locked", 1), event("mine", 2)};
  timeline.events[0].source = timeline.events[1].source = "motion";
  timeline.events[1].locked = true;
  apply(plan_wishes({"bell", "", {}}, engine), engine, timeline);
  EXPECT_EQ(timeline.events[0].label, "bell");
  EXPECT_EQ(timeline.events[1].label, "impact");
  EXPECT_EQ(timeline.events[2].label, "impact");
}

TEST(Wishes, PromptPartsStrikesFromBeds) {
  const FakeGenerator engine;
  EventTimeline timeline;
  timeline.clip.duration = Seconds(8);
  timeline.events = {event("e1", 0), event("e2", 1)};
  timeline.events[0].source = timeline.events[1].source = "motion";
  timeline.events[1].label = "scrape";
  const auto plan = plan_wishes({"", "bell, rain and blorgle", {"wind"}}, engine);
  apply(plan, engine, timeline);
  EXPECT_EQ(timeline.events[0].label, "bell");
  EXPECT_EQ(timeline.events[1].label, "scrape") << "a bell does not last";
  ASSERT_EQ(timeline.ambience.size(), 2U);
  EXPECT_EQ(timeline.ambience[0].label, "rain");
  EXPECT_EQ(timeline.ambience[1].label, "wind");
  EXPECT_NE(timeline.ambience[0].id, timeline.ambience[1].id);
  EXPECT_EQ(timeline.ambience[0].offset, Seconds(8));
  EXPECT_EQ(timeline.prompt, "bell, rain and blorgle");
  ASSERT_EQ(plan.notes.size(), 1U);
  EXPECT_NE(plan.notes[0].find("blorgle"), std::string::npos);
}

TEST(Wishes, UnknownWordsNameTheKnownOnes) {
  const FakeGenerator engine;
  for (const Wishes& wishes :
       {Wishes{"blorgle", "", {}}, Wishes{"", "blorgle, fnord", {}}, Wishes{"", "", {"blorgle"}}}) {
    EXPECT_TRUE(throws_error([&] { plan_wishes(wishes, engine); }, ErrorCode::kUsage, "footstep"));
    EXPECT_TRUE(throws_error([&] { plan_wishes(wishes, engine); }, ErrorCode::kUsage, "blorgle"));
  }
}

std::vector<std::vector<float>> render_all(int threads, std::size_t count) {
  const FakeGenerator engine;
  std::vector<SoundEvent> events;
  for (std::size_t k = 0; k < count; ++k) {
    events.push_back(event("e" + std::to_string(k), 0.1 * static_cast<double>(k), 100 - k));
  }
  EventRenderer renderer(engine, events, {{}, threads});
  std::vector<std::vector<float>> sounds;
  while (!renderer.is_done()) sounds.push_back(renderer.next({}).audio.samples);
  return sounds;
}

TEST(EventRenderer, ThreadsChangeNoSampleAndNoOrder) {
  const auto one = render_all(1, 25);
  ASSERT_EQ(one.size(), 25U);
  EXPECT_NE(one[0], one[1]);
  EXPECT_EQ(render_all(2, 25), one);
  EXPECT_EQ(render_all(5, 25), one);
}

TEST(EventRenderer, HoldsOnlySoManyAhead) {
  const FakeGenerator engine;
  std::vector<SoundEvent> events;
  for (int k = 0; k < 200; ++k) events.push_back(event("e" + std::to_string(k), k, 7));
  EventRenderer renderer(engine, events, {{}, 2});
  renderer.next({});
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LE(engine.rendered(), 8);
}

TEST(EventRenderer, PassesTheEnginesFaultOnInItsPlace) {
  const FakeGenerator engine;
  std::vector<SoundEvent> events = {event("a", 0, 1), event("b", 1, 2), event("c", 2, 3)};
  events[1].label = "nothing";
  EventRenderer renderer(engine, events, {{}, 2});
  EXPECT_NO_THROW(renderer.next({}));
  EXPECT_TRUE(throws_error([&] { renderer.next({}); }, ErrorCode::kInvalidInput, "unknown label"));
  EXPECT_NO_THROW(renderer.next({}));
}

TEST(EventRenderer, StopsOnRequest) {
  for (const int threads : {1, 3}) {
    const FakeGenerator engine;
    EventRenderer renderer(engine, {event("a", 0, 1), event("b", 1, 2)}, {{}, threads});
    const Progress stop = [](std::string_view, double) { return false; };
    EXPECT_TRUE(throws_error([&] { renderer.next(stop); }, ErrorCode::kCancelled, "stopped"));
  }
}

class Ones : public SoundStream {
 public:
  void read(std::span<float> mono) override { std::fill(mono.begin(), mono.end(), 1.0F); }
};

TEST(LevelStream, FollowsTheEnvelopeAcrossReads) {
  const auto stream = follow_envelope(std::make_unique<Ones>(),
                                      {{Seconds(0), 0.2}, {Seconds(1), 1.0}, {Seconds(1.5), 0.5}});
  std::vector<float> samples(96000);
  for (std::size_t at = 0; at < samples.size(); at += 1000) {
    stream->read(std::span(samples).subspan(at, 1000));
  }
  EXPECT_FLOAT_EQ(samples[0], 0.2F);
  EXPECT_NEAR(samples[24000], 0.6, 1e-4);
  EXPECT_NEAR(samples[60000], 0.75, 1e-4);
  EXPECT_FLOAT_EQ(samples[95999], 0.5F);
}

TEST(ReportFile, LiesBesideItsOutput) {
  EXPECT_EQ(report_path("out/clip.sound.mp4"), "out/clip.sound.report.json");
  EXPECT_EQ(report_path("out/stems/"), "out/stems.report.json");
  EXPECT_EQ(report_path("out/stems"), "out/stems.report.json");
}

TEST(ReportFile, TellsWhetherAResultIsAlreadyThere) {
  const TemporaryFolder folder;
  const auto output = folder.write("a.wav", "sound");
  Report report;
  report.key = "k1";
  report.outputs = {{"mix", output, sha256_hex("sound")}};
  folder.write("a.report.json", to_json(report));
  EXPECT_TRUE(is_already_made(output, "k1"));
  EXPECT_FALSE(is_already_made(output, "k2"));
  folder.write("a.wav", "damaged");
  EXPECT_FALSE(is_already_made(output, "k1"));
  folder.write("a.wav", "sound");
  folder.write("a.report.json", "{broken");
  EXPECT_FALSE(is_already_made(output, "k1"));
}

TEST(Report, HoldsNoInfinity) {
  Report report;
  report.before.integrated_lufs = -INFINITY;
  report.warnings = {"bad bytes \xff"};
  const std::string text = to_json(report);
  EXPECT_NE(text.find("\"integrated_lufs\": null"), std::string::npos);
  EXPECT_EQ(text.find("inf,"), std::string::npos);
}

}  // namespace
}  // namespace qingyin::test
