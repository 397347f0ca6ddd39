#include "pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/dsp/audio_file.h"
#include "core/dsp/onset.h"
#include "core/sha256.h"
#include "tests/pipeline/fakes.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

Pipeline fake_pipeline() {
  return Pipeline(std::make_unique<FakeUnderstanding>(), std::make_unique<FakeGenerator>());
}

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::ptrdiff_t files_in(const fs::path& folder) {
  return std::distance(fs::recursive_directory_iterator(folder),
                       fs::recursive_directory_iterator());
}

EventTimeline timeline_of(double duration_s, const std::vector<double>& onsets_s) {
  EventTimeline timeline;
  timeline.clip.duration = Seconds(duration_s);
  for (std::size_t k = 0; k < onsets_s.size(); ++k) {
    SoundEvent event;
    event.id = "e" + std::to_string(k + 1);
    event.label = "impact";
    event.onset = Seconds(onsets_s[k]);
    event.offset = Seconds(std::min(onsets_s[k] + 0.05, duration_s));
    event.lane = k % 2 == 0 ? "foley" : "impacts";
    timeline.events.push_back(event);
  }
  return timeline;
}

std::vector<float> left_of(const AudioBuffer& audio) {
  std::vector<float> mono;
  for (std::size_t n = 0; n < audio.samples.size(); n += static_cast<std::size_t>(audio.channels)) {
    mono.push_back(audio.samples[n]);
  }
  return mono;
}

class PipelineTest : public testing::Test {
 protected:
  fs::path clip(const std::string& name, const std::string& options) {
    const fs::path path = folder / name;
    const std::string command =
        "ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=s=64x64:r=25:d=3.4 " + options + " '" +
        path.string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return path;
  }

  OutputRequest to(const std::string& name) const { return {folder / name, {}, {}, {}}; }

  TemporaryFolder folder;
  const Pipeline pipeline = fake_pipeline();
};

TEST_F(PipelineTest, RendersEventsWhereTheyAreWanted) {
  const auto result = pipeline.render(EventDocument(timeline_of(5, {0, 0.7, 1.999, 4.9})), {}, {},
                                      {folder / "a.wav", folder / "stems", {}, {}});
  const auto audio = read_audio_file(folder / "a.wav");
  EXPECT_EQ(audio.length(), 240000);
  EXPECT_EQ(audio.channels, 2);
  ASSERT_EQ(result.report.events.size(), 4U);
  for (const auto& event : result.report.events) {
    ASSERT_TRUE(event.produced_onset);
    EXPECT_NEAR(event.produced_onset->count(), event.wanted_onset.count(), 0.003);
  }
  const auto found = find_onsets(left_of(audio), 48000);
  ASSERT_GE(found.size(), 2U);
  EXPECT_NEAR(found[0].count(), 0.7, 0.005);

  const auto foley = read_audio_file(folder / "stems/foley.wav");
  const auto impacts = read_audio_file(folder / "stems/impacts.wav");
  float worst = 0, loudest = 0;
  for (std::size_t n = 0; n < audio.samples.size(); ++n) {
    worst = std::max(worst, std::abs(foley.samples[n] + impacts.samples[n] - audio.samples[n]));
    loudest = std::max(loudest, std::abs(impacts.samples[n]));
  }
  EXPECT_LE(worst, 2.0F / (1 << 23)) << "the stems sum to the mix";
  EXPECT_GT(loudest, 0.01F);
}

TEST_F(PipelineTest, ThreadsAndWindowsChangeNoByte) {
  const EventDocument document(timeline_of(9, {0.1, 0.5, 1.95, 2.0, 2.05, 5.0, 8.99}));
  pipeline.render(document, {}, {.threads = 1}, to("one.wav"));
  pipeline.render(document, {}, {.threads = 4}, to("four.wav"));
  EXPECT_EQ(bytes_of(folder / "one.wav"), bytes_of(folder / "four.wav"));
  pipeline.render(document, {}, {.seed = 1}, to("other.wav"));
  EXPECT_NE(bytes_of(folder / "one.wav"), bytes_of(folder / "other.wav"));
}

TEST_F(PipelineTest, AnEventAloneSoundsAsInItsTimeline) {
  pipeline.render(EventDocument(timeline_of(4, {0.2, 1.5, 3})), {}, {}, to("all.wav"));
  auto alone = timeline_of(4, {0.2, 1.5, 3});
  alone.events = {alone.events[1]};
  pipeline.render(EventDocument(alone), {}, {}, to("alone.wav"));
  const auto all_samples = read_audio_file(folder / "all.wav").samples;
  const auto one_samples = read_audio_file(folder / "alone.wav").samples;
  // e2 sounds from 1.497 s to 1.8 s.
  for (std::size_t n = 2 * 70000; n < 2 * 88000; ++n) ASSERT_EQ(all_samples[n], one_samples[n]);
}

TEST_F(PipelineTest, RerollLeavesTheLockedAndTheOthersAlone) {
  auto timeline = timeline_of(4, {0.2, 1.5, 3});
  timeline.events[2].locked = true;
  pipeline.render(EventDocument(timeline), {}, {}, to("before.wav"));
  SoundOptions options;
  options.reroll = {"e2", "e3"};
  const auto result = pipeline.render(EventDocument(timeline), {}, options, to("after.wav"));
  EXPECT_EQ(result.report.warnings.size(), 1U) << "e3 is locked";
  const auto before = read_audio_file(folder / "before.wav").samples;
  const auto after = read_audio_file(folder / "after.wav").samples;
  const auto same = [&](double from_s, double to_s) {
    const auto first = static_cast<std::ptrdiff_t>(2 * std::llround(from_s * 48000));
    const auto last = static_cast<std::ptrdiff_t>(2 * std::llround(to_s * 48000));
    return std::equal(before.begin() + first, before.begin() + last, after.begin() + first);
  };
  EXPECT_TRUE(same(0, 1.4));
  EXPECT_FALSE(same(1.5, 1.8));
  EXPECT_TRUE(same(2.9, 4));
}

TEST_F(PipelineTest, AddsSoundToAClipAndReports) {
  const auto info = probe(clip("silent.mp4", "-c:v mpeg4"));
  const auto result = pipeline.add_sound(info, {"bell", "", {"rain"}}, {},
                                         {folder / "out.mp4", {}, folder / "out.events.json", {}});
  EXPECT_FALSE(result.was_already_made);
  EXPECT_TRUE(probe(folder / "out.mp4").audio_stream);
  const auto document = read_events(folder / "out.events.json");
  EXPECT_EQ(document.timeline.events.size(), 4U);
  EXPECT_EQ(document.timeline.events[0].label, "bell");
  EXPECT_EQ(document.timeline.ambience.size(), 1U);
  EXPECT_EQ(document.timeline.clip.sha256, sha256_of_file(info.path));
  EXPECT_GT(document.timeline.events[0].seed, 0U);

  const auto report = nlohmann::json::parse(bytes_of(folder / "out.report.json"));
  EXPECT_EQ(report["schema"], "qingyin.report/1");
  EXPECT_EQ(report["inputs"][0]["sha256"], sha256_of_file(info.path));
  EXPECT_EQ(report["outputs"][0]["sha256"], sha256_of_file(folder / "out.mp4"));
  EXPECT_EQ(report["events"].size(), 5U);
  EXPECT_LT(std::abs(report["events"][4]["error_ms"].get<double>()), 3);
  for (const char* stage : {"understand", "render", "finish"}) {
    EXPECT_TRUE(report["timings_s"].contains(stage)) << stage;
  }
  EXPECT_GT(report["peak_memory_bytes"].get<std::int64_t>(), 1 << 20);
}

TEST_F(PipelineTest, SkipsWhatIsMadeAndRefusesWhatIsForeign) {
  const auto info = probe(clip("silent.mp4", "-c:v mpeg4"));
  pipeline.add_sound(info, {}, {}, to("out.mp4"));
  const std::string first = bytes_of(folder / "out.mp4");
  EXPECT_TRUE(pipeline.add_sound(info, {}, {}, to("out.mp4")).was_already_made);
  EXPECT_TRUE(throws_error([&] { pipeline.add_sound(info, {}, {.seed = 9}, to("out.mp4")); },
                           ErrorCode::kIo, "out.mp4"));
  EXPECT_EQ(bytes_of(folder / "out.mp4"), first);
  auto request = to("out.mp4");
  request.overwrite = Overwrite::kYes;
  EXPECT_FALSE(pipeline.add_sound(info, {}, {.seed = 9}, request).was_already_made);
  EXPECT_NE(bytes_of(folder / "out.mp4"), first);

  folder.write("out.mp4", "damaged");
  EXPECT_TRUE(throws_error([&] { pipeline.add_sound(info, {}, {.seed = 9}, to("out.mp4")); },
                           ErrorCode::kIo, "exists"));
}

TEST_F(PipelineTest, KeepsTheOriginalUnlessReplaced) {
  const auto info =
      probe(clip("tone.mkv", "-f lavfi -i sine=f=440:r=48000:d=3.4 -c:v mpeg4 -c:a flac"));
  const auto level_at_half = [&](OriginalSound mode, const std::string& name) {
    pipeline.add_sound(info, {}, {.original = mode}, to(name));
    const auto audio = read_audio_file(folder / name);
    double sum = 0;  // 0.4 s to 0.5 s: before the first event
    for (std::size_t n = 2 * 19200; n < 2 * 24000; ++n) sum += std::pow(audio.samples[n], 2);
    return std::sqrt(sum / 9600);
  };
  EXPECT_GT(level_at_half(OriginalSound::kKeep, "keep.wav"), 0.03);
  EXPECT_GT(level_at_half(OriginalSound::kDuck, "duck.wav"), 0.03);
  EXPECT_EQ(level_at_half(OriginalSound::kReplace, "replace.wav"), 0);
  EXPECT_NE(bytes_of(folder / "keep.wav"), bytes_of(folder / "duck.wav"));
}

TEST_F(PipelineTest, CancelLeavesNothing) {
  const auto info = probe(clip("silent.mp4", "-c:v mpeg4"));
  const auto before = files_in(folder.path());
  for (const double stop_at : {0.0, 0.3, 0.6, 0.96}) {
    const Progress stop = [=](std::string_view, double fraction) { return fraction < stop_at; };
    EXPECT_TRUE(throws_error(
        [&] {
          pipeline.add_sound(info, {}, {.threads = 2},
                             {folder / "out.mp4", {}, folder / "out.json", {}}, stop);
        },
        ErrorCode::kCancelled, "stopped"))
        << stop_at;
    EXPECT_EQ(files_in(folder.path()), before) << stop_at;
  }
}

TEST_F(PipelineTest, RefusesATimelineThatDoesNotFit) {
  const auto info = probe(clip("silent.mp4", "-c:v mpeg4"));
  EXPECT_TRUE(throws_error(
      [&] {
        pipeline.render(EventDocument(timeline_of(9, {1, 8})), info, {}, to("a.mp4"));
      },
      ErrorCode::kInvalidInput, "e2"));
  auto unknown = timeline_of(3, {1, 2});
  unknown.events[1].label = "blorgle";
  EXPECT_TRUE(throws_error([&] { pipeline.render(EventDocument(unknown), info, {}, to("a.mp4")); },
                           ErrorCode::kInvalidInput, "blorgle"));
  EXPECT_FALSE(fs::exists(folder / "a.mp4"));
}

TEST_F(PipelineTest, LongSoundsStreamOverTheirWholeExtent) {
  EventTimeline timeline = timeline_of(30, {});
  SoundEvent wind;
  wind.id = "w";
  wind.label = "wind";
  wind.onset = Seconds(3);
  wind.offset = Seconds(27);
  timeline.events = {wind};
  pipeline.render(EventDocument(timeline), {}, {}, to("wind.wav"));
  const auto mono = left_of(read_audio_file(folder / "wind.wav"));
  const auto level = [&](double from_s) {
    double sum = 0;
    const auto first = static_cast<std::size_t>(from_s * 48000);
    for (std::size_t n = first; n < first + 4800; ++n) sum += std::pow(mono[n], 2);
    return std::sqrt(sum / 4800);
  };
  EXPECT_EQ(level(2.8), 0);
  EXPECT_GT(level(3.1), 0.005);
  EXPECT_GT(level(26.5), 0.005);
  EXPECT_EQ(level(27.1), 0);
}

TEST_F(PipelineTest, MakesEffectsOfTheWantedLength) {
  EffectRequest effect;
  effect.words = "bell";
  pipeline.make_effect(effect, {}, to("bell.wav"));
  const auto bell = read_audio_file(folder / "bell.wav");
  EXPECT_EQ(bell.channels, 1);
  const auto start = sound_start(bell.samples, 48000);
  ASSERT_TRUE(start);
  EXPECT_LT(start->count(), 0.01);

  effect.words = "rain";
  effect.duration = Seconds(12.5);
  pipeline.make_effect(effect, {}, to("rain.wav"));
  EXPECT_EQ(read_audio_file(folder / "rain.wav").length(), 600000);

  effect.words = "blorgle";
  EXPECT_TRUE(throws_error([&] { pipeline.make_effect(effect, {}, to("b.wav")); },
                           ErrorCode::kUsage, "footstep"));
}

TEST_F(PipelineTest, UnwritableTargetsFailBeforeTheWork) {
  const auto info = probe(clip("silent.mp4", "-c:v mpeg4"));
  EXPECT_TRUE(throws_error([&] { pipeline.add_sound(info, {}, {}, to("none/out.mp4")); },
                           ErrorCode::kIo, "none"));
  EXPECT_TRUE(throws_error(
      [&] { pipeline.render(EventDocument(timeline_of(3, {1})), {}, {}, to("a.mp4")); },
      ErrorCode::kUsage, "clip"));
}

}  // namespace
}  // namespace qingyin::test
