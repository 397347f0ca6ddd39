// MMAudio from files to a sounding clip, with tiny random weights in the published layout: what is
// checked is everything but how good it sounds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "audio_gen/mmaudio/latent_track.h"
#include "audio_gen/mmaudio/window_plan.h"
#include "core/dsp/audio_file.h"
#include "models/checkpoint/safetensors.h"
#include "tests/e2e/folder_fixture.h"
#include "tests/e2e/mmaudio_folder.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kRateHz = 48000;

class MmaudioTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<TemporaryFolder>();
    write_tiny_mmaudio(*shared_ / "model");
  }
  static void TearDownTestSuite() { shared_.reset(); }

  static fs::path model() { return *shared_ / "model"; }

  /// A moving picture with a cut every 7 s.
  fs::path clip(double seconds, const std::string& name = "clip.mp4") const {
    shell("ffmpeg -v error -nostdin -y -f lavfi -i \"testsrc2=s=64x48:r=25:d=" +
          std::to_string(seconds) +
          ",hue=h='120*floor(t/7)':b='3*mod(floor(t/7),2)'\" -c:v mpeg4 -g 25 " +
          (folder / name).string());
    return folder / name;
  }

  Outcome run_here(std::vector<std::string> arguments,
                   std::optional<ProgramRun::Interrupt> interrupt = {}) const {
    arguments.insert(arguments.begin(), program());
    return run({.arguments = std::move(arguments),
                .folder = folder.path(),
                .environment = {{"XDG_CACHE_HOME", (folder / "cache").string()},
                                {"XDG_CONFIG_HOME", (folder / "config").string()},
                                {"HF_HOME", (folder / "hf").string()}},
                .interrupt = std::move(interrupt),
                .limit = std::chrono::seconds(400)});
  }

  /// `add` onto a file, with few steps; other options behind.
  Outcome add(const fs::path& clip, const std::string& output,
              const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"add",       clip.string(),
                                       "--engine",  "mmaudio:custom",
                                       "--models",  model().string(),
                                       "--steps",   "3",
                                       "--threads", "1",
                                       "-o",        output};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_here(std::move(arguments));
  }

  json report(const std::string& name) const {
    std::ifstream file(folder / name);
    return json::parse(file);
  }

  std::vector<float> left(const std::string& name) const {
    const AudioBuffer audio = read_audio_file(folder / name);
    EXPECT_EQ(audio.sample_rate_hz, kRateHz);
    std::vector<float> mono;
    for (std::size_t n = 0; n < audio.samples.size(); n += static_cast<std::size_t>(audio.channels))
      mono.push_back(audio.samples[n]);
    return mono;
  }

  TemporaryFolder folder;

 private:
  static inline std::unique_ptr<TemporaryFolder> shared_;
};

double loudest(const std::vector<float>& sound) {
  double most = 0;
  for (const float x : sound) most = std::max(most, std::abs(static_cast<double>(x)));
  return most;
}

/// The largest step from one sample to the next in [from, to).
double largest_step(const std::vector<float>& sound, double from_s, double to_s) {
  double most = 0;
  const auto begin = static_cast<std::size_t>(from_s * kRateHz);
  const auto end = std::min(sound.size() - 1, static_cast<std::size_t>(to_s * kRateHz));
  for (std::size_t n = begin; n < end; ++n)
    most = std::max(most, std::abs(static_cast<double>(sound[n + 1]) - sound[n]));
  return most;
}

/// The largest memory of two runs, in MiB; kept with the test's results.
void expect_no_growth(double short_mib, double long_mib, double most_mib) {
  testing::Test::RecordProperty("short_clip_mib", std::to_string(short_mib));
  testing::Test::RecordProperty("long_clip_mib", std::to_string(long_mib));
  EXPECT_LT(long_mib, short_mib + most_mib);
}

TEST_F(MmaudioTest, MakesTheSoundOfAClipAndRemembersWhatItSaw) {
  const auto source = clip(3);
  const auto first = add(source, "a.wav", {"--prompt", "a bell"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const auto sound = left("a.wav");
  EXPECT_EQ(sound.size(), 3U * kRateHz);
  EXPECT_GT(loudest(sound), 1e-3);
  const json made = report("a.report.json");
  EXPECT_EQ(made["engine"]["name"], "mmaudio:custom");
  EXPECT_EQ(made["engine"]["licences"][0], "made for a test");
  for (const char* role : {"flow", "vae", "vocoder", "clip", "synchformer"})
    EXPECT_EQ(made["engine"]["models"][role].get<std::string>().size(), 64U) << role;
  EXPECT_EQ(made["features"]["pictures_encoded"], 25);  // the window lasts 3.2 s
  EXPECT_EQ(made["features"]["segments_encoded"], 9);
  EXPECT_EQ(made["features"]["words_encoded"], 1);

  ASSERT_EQ(add(source, "b.wav", {"--prompt", "a bell"}).exit_code, 0);
  EXPECT_EQ(left("b.wav"), sound);
  const json again = report("b.report.json");
  for (const char* what : {"pictures_encoded", "segments_encoded", "words_encoded"})
    EXPECT_EQ(again["features"][what], 0) << what;
  EXPECT_EQ(again["features"]["pictures_cached"], 25);

  ASSERT_EQ(add(source, "c.wav", {"--prompt", "a dog", "--seed", "4"}).exit_code, 0);
  EXPECT_NE(left("c.wav"), sound);
  EXPECT_EQ(report("c.report.json")["features"]["pictures_encoded"], 0);
  EXPECT_EQ(report("c.report.json")["features"]["words_encoded"], 1);
}

TEST_F(MmaudioTest, PictureWordsAndWhatIsNotWantedAllCount) {
  const auto source = clip(2);
  std::set<std::vector<float>> sounds;
  const std::vector<std::vector<std::string>> ways = {{},
                                                      {"--prompt", "a bell"},
                                                      {"--prompt", "a bell", "--negative", "music"},
                                                      {"--prompt", "a bell", "--no-picture"},
                                                      {"--prompt", "a bell", "--guidance", "1"},
                                                      {"--prompt", "a bell", "--dtype", "bfloat16"},
                                                      {"--prompt", "a bell", "--weights", "int8"}};
  for (std::size_t i = 0; i < ways.size(); ++i) {
    const std::string name = std::to_string(i) + ".wav";
    const auto outcome = add(source, name, ways[i]);
    ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_TRUE(sounds.insert(left(name)).second) << i;
  }
}

TEST_F(MmaudioTest, DamagedCacheFilesAreMadeAnew) {
  const auto source = clip(2);
  ASSERT_EQ(add(source, "a.wav").exit_code, 0);
  int damaged = 0;
  for (const auto& item : fs::directory_iterator(folder / "cache/qingyin/features")) {
    std::fstream file(item.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-5, std::ios::end);
    file.put('\x55');
    ++damaged;
  }
  EXPECT_EQ(damaged, 3);  // pictures, motion, words
  ASSERT_EQ(add(source, "b.wav").exit_code, 0);
  EXPECT_EQ(left("a.wav"), left("b.wav"));
  EXPECT_GT(report("b.report.json")["features"]["pictures_encoded"], 0);
}

TEST_F(MmaudioTest, WindowsOfALongClipJoinWithoutAStep) {
  const auto source = clip(20);
  const auto outcome = add(source, "long.wav");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto sound = left("long.wav");
  ASSERT_EQ(sound.size(), 20U * kRateHz);
  EXPECT_GT(loudest(sound), 1e-3);
  const auto plan = mmaudio::plan_windows(mmaudio::sound_16k(), Seconds(20), {});
  ASSERT_GE(plan.windows.size(), 3U);
  const double usual = largest_step(sound, 0.5, 5);
  const double latents_per_second = 16000.0 / 512;
  for (const auto& window : plan.windows) {
    for (const std::int64_t border : {window.first_latent, window.end_latent()}) {
      const double at = static_cast<double>(border) / latents_per_second;
      if (at < 0.5 || at > 19.5) continue;
      EXPECT_LT(largest_step(sound, at - 0.1, at + 0.1), 1.5 * usual) << at;
    }
  }
}

TEST_F(MmaudioTest, MemoryDoesNotGrowWithTheClip) {
  ASSERT_EQ(add(clip(20, "short.mp4"), "short.wav").exit_code, 0);
  ASSERT_EQ(add(clip(100, "long.mp4"), "long.wav").exit_code, 0);
  const auto peak = [&](const char* name) {
    return report(name)["peak_memory_bytes"].get<double>() / (1 << 20);
  };
  EXPECT_EQ(left("long.wav").size(), 100U * kRateHz);
  expect_no_growth(peak("short.report.json"), peak("long.report.json"), 40);
}

/// Takes minutes: only with `ctest --test-dir build -C Heavy -L heavy -R mmaudio`.
TEST_F(MmaudioTest, DISABLED_MemoryDoesNotGrowToTenMinutes) {
  ASSERT_EQ(add(clip(20, "short.mp4"), "short.wav").exit_code, 0);
  ASSERT_EQ(add(clip(600, "long.mp4"), "long.wav").exit_code, 0);
  const auto peak = [&](const char* name) {
    return report(name)["peak_memory_bytes"].get<double>() / (1 << 20);
  };
  EXPECT_EQ(left("long.wav").size(), 600U * kRateHz);
  expect_no_growth(peak("short.report.json"), peak("long.report.json"), 60);
}

TEST_F(MmaudioTest, NoiseOfAFileStandsForTheSeed) {
  const auto source = clip(2);
  ASSERT_EQ(add(source, "seed.wav", {"--seed", "11"}).exit_code, 0);
  constexpr std::int64_t kLatents = 80, kChannels = 20;
  const auto noise = mmaudio::noise_of_seed(11, kChannels)(0, kLatents);
  const auto write = [&](const std::string& name, std::int64_t rows) {
    write_safetensors_file(folder / name,
                           {{"noise",
                             DType::kF32,
                             {rows, kChannels},
                             std::as_bytes(std::span(noise).first(rows * kChannels))}},
                           {}, Overwrite::kYes);
    return (folder / name).string();
  };
  const auto outcome = add(source, "file.wav", {"--noise", write("noise.safetensors", kLatents)});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(left("file.wav"), left("seed.wav"));
  const auto few = add(source, "few.wav", {"--noise", write("few.safetensors", 10)});
  EXPECT_EQ(few.exit_code, 2);
  EXPECT_NE(few.err.find("noise"), std::string::npos) << few.err;
  EXPECT_FALSE(fs::exists(folder / "few.wav"));
}

TEST_F(MmaudioTest, StoppedItLeavesNothingBehind) {
  const auto source = clip(20);
  const auto outcome =
      run_here({"add", source.string(), "--engine", "mmaudio:custom", "--models", model().string(),
                "--threads", "1", "--progress", "json", "-o", "out.mp4"},
               ProgramRun::Interrupt{SIGINT, "sampl"});
  EXPECT_EQ(outcome.exit_code, 130) << outcome.err;
  std::set<std::string> names;
  for (const auto& item : fs::directory_iterator(folder.path()))
    names.insert(item.path().filename().string());
  names.erase("cache");
  EXPECT_EQ(names, (std::set<std::string>{"clip.mp4"}));
}

TEST_F(MmaudioTest, EventsStandOnTheirOnsets) {
  folder.write("clip.events.json", strikes(4, {0.5, 1.75, 3.0}));
  const auto outcome = run_here({"render", "clip.events.json", "--engine", "mmaudio:custom",
                                 "--models", model().string(), "--steps", "3", "--threads", "1",
                                 "-o", "mix.wav", "--stems", "stems"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json made = report("mix.report.json");
  ASSERT_EQ(made["events"].size(), 3U);
  for (const auto& event : made["events"]) {
    ASSERT_TRUE(event["error_ms"].is_number()) << event;
    EXPECT_LT(std::abs(event["error_ms"].get<double>()), 2) << event;
  }
  auto sum = left("stems/foley.wav");
  const auto second = left("stems/impacts.wav"), mix = left("mix.wav");
  ASSERT_EQ(sum.size(), mix.size());
  double worst = 0;
  for (std::size_t n = 0; n < mix.size(); ++n)
    worst = std::max(worst, std::abs(static_cast<double>(sum[n]) + second[n] - mix[n]));
  EXPECT_LT(worst, 2.0 / (1 << 23));
}

TEST_F(MmaudioTest, EventsMayFollowThePictureWhileTheyLast) {
  const auto source = clip(12);
  folder.write("clip.events.json", strikes(12, {0.5, 1.75, 11.0}));
  const auto render = [&](const std::string& output, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"render",
                                       "clip.events.json",
                                       source.string(),
                                       "--engine",
                                       "mmaudio:custom",
                                       "--models",
                                       model().string(),
                                       "--steps",
                                       "3",
                                       "--threads",
                                       "1",
                                       "-o",
                                       output,
                                       "--stems",
                                       output + ".stems"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_here(std::move(arguments));
  };
  const auto outcome = render("mix.wav", {"--event-picture", "masked"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const json made = report("mix.report.json");
  EXPECT_EQ(made["options"]["event_picture"], "masked");
  ASSERT_EQ(made["events"].size(), 3U);
  for (const auto& event : made["events"]) {
    ASSERT_TRUE(event["error_ms"].is_number()) << event;
    EXPECT_LT(std::abs(event["error_ms"].get<double>()), 2) << event;
  }
  EXPECT_GT(made["features"]["pictures_encoded"], 0);
  auto sum = left("mix.wav.stems/foley.wav");
  const auto second = left("mix.wav.stems/impacts.wav"), mix = left("mix.wav");
  ASSERT_EQ(sum.size(), mix.size());
  double worst = 0;
  for (std::size_t n = 0; n < mix.size(); ++n)
    worst = std::max(worst, std::abs(static_cast<double>(sum[n]) + second[n] - mix[n]));
  EXPECT_LT(worst, 2.0 / (1 << 23));

  ASSERT_EQ(render("words.wav", {}).exit_code, 0);
  EXPECT_NE(left("words.wav"), mix);
  ASSERT_EQ(render("again.wav", {"--event-picture", "masked"}).exit_code, 0);
  EXPECT_EQ(left("again.wav"), mix);
  EXPECT_EQ(report("again.report.json")["features"]["pictures_encoded"], 0);
  const auto blind = run_here(
      {"render", "clip.events.json", source.string(), "-o", "b.wav", "--event-picture", "masked"});
  EXPECT_EQ(blind.exit_code, 2);
  EXPECT_NE(blind.err.find("--event-picture"), std::string::npos) << blind.err;
}

TEST_F(MmaudioTest, MakesAnEffectFromWords) {
  const auto outcome =
      run_here({"sfx", "a small bell", "--engine", "mmaudio:custom", "--models", model().string(),
                "--steps", "2", "--threads", "1", "--duration", "1.5", "-o", "bell.wav"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(left("bell.wav").size(), kRateHz * 3U / 2);
  EXPECT_GT(loudest(left("bell.wav")), 1e-3);
}

TEST_F(MmaudioTest, BadWeightsAreAllNamedAtOnce) {
  const auto source = clip(1);
  fs::copy(model(), folder / "broken", fs::copy_options::recursive);
  fs::remove(folder / "broken/ext_weights/v1-16.safetensors");
  fs::resize_file(folder / "broken/weights/mmaudio_small_16k.safetensors", 2000);
  fs::rename(folder / "broken/ext_weights/best_netG.safetensors",
             folder / "broken/ext_weights/vocoder.safetensors");
  const auto outcome = run_here({"add", source.string(), "--engine", "mmaudio:custom", "--models",
                                 (folder / "broken").string(), "-o", "out.wav"});
  EXPECT_EQ(outcome.exit_code, 4);
  for (const char* name : {"v1-16.pth", "mmaudio_small_16k.safetensors", "best_netG.pt"})
    EXPECT_NE(outcome.err.find(name), std::string::npos) << name << "\n" << outcome.err;
  EXPECT_FALSE(fs::exists(folder / "out.wav"));
}

TEST_F(MmaudioTest, PublishedWeightsThatAreNotThereAreNamedWithTheirCommand) {
  const auto outcome =
      run_here({"add", clip(1).string(), "--engine", "mmaudio:small_16k", "-o", "out.wav"});
  EXPECT_EQ(outcome.exit_code, 4);
  for (const char* name : {"mmaudio_small_16k.pth", "v1-16.pth", "best_netG.pt",
                           "qingyin models pull mmaudio:small_16k"})
    EXPECT_NE(outcome.err.find(name), std::string::npos) << name << "\n" << outcome.err;
}

TEST_F(MmaudioTest, ALimitThatIsTooSmallIsToldBeforeTheWork) {
  const auto outcome = add(clip(1), "out.wav", {"--memory", "100M"});
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_NE(outcome.err.find("--memory 100M"), std::string::npos) << outcome.err;
  EXPECT_EQ(add(clip(1), "out.wav", {"--memory", "much"}).exit_code, 2);
}

TEST_F(MmaudioTest, APlanTellsHowLongItWillTake) {
  const auto seconds = [&](double duration, std::vector<std::string> more) {
    std::vector<std::string> arguments{"add",       clip(duration).string(),
                                       "--engine",  "mmaudio:large_44k_v2",
                                       "--dry-run", "--json",
                                       "--threads", "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto outcome = run_here(std::move(arguments));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return json::parse(outcome.out)["items"][0]["estimated_time_s"].get<double>();
  };
  const double whole = seconds(8, {});
  EXPECT_GT(whole, 100);
  EXPECT_GT(seconds(24, {}), 2 * whole);
  EXPECT_LT(seconds(8, {"--dtype", "bfloat16"}), 0.7 * whole);
  EXPECT_LT(seconds(8, {"--no-picture"}), 0.6 * whole);
  EXPECT_GT(seconds(8, {"--steps", "100"}), 1.2 * whole);
}

TEST_F(MmaudioTest, ABenchTellsTimeAndWhatTheTypesChange) {
  const auto bench = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{
        "bench", "mmaudio:custom", "--models", model().string(), "--steps", "2", "--seconds",
        "1.5",   "--threads",      "1",        "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_here(std::move(arguments));
  };
  const auto timed = bench({"--weights", "int8"});
  ASSERT_EQ(timed.exit_code, 0) << timed.err;
  const json times = json::parse(timed.out)["items"][0];
  EXPECT_EQ(times["weights"], "int8");
  ASSERT_EQ(times["stages"].size(), 6U);
  for (const auto& stage : times["stages"]) EXPECT_GT(stage["seconds"].get<double>(), 0) << stage;

  const auto drifted = bench({"--drift", clip(2).string()});
  ASSERT_EQ(drifted.exit_code, 0) << drifted.err;
  const json drift = json::parse(drifted.out)["items"][0];
  ASSERT_EQ(drift["features"].size(), 3U);
  for (const auto& rows : drift["features"]) {
    EXPECT_GT(rows["least_cosine"].get<double>(), 0.99) << rows;
    EXPECT_LT(rows["least_cosine"].get<double>(), 1) << rows;
  }
  ASSERT_EQ(drift["mel"].size(), 3U);
  for (const auto& mel : drift["mel"]) EXPECT_GT(mel["l1"].get<double>(), 0) << mel;
  EXPECT_LT(drift["mel"][1]["of_latents"], drift["mel"][2]["of_latents"]);

  EXPECT_EQ(bench({"--weights", "int4"}).exit_code, 2);
  EXPECT_EQ(bench({"--drift", "nowhere.mp4"}).exit_code, 3);
}

TEST_F(MmaudioTest, TheBundledEngineHasNoEyes) {
  const auto outcome = run_here({"add", clip(1).string(), "--render", "whole", "-o", "out.wav"});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.err.find("mmaudio"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace qingyin::test
