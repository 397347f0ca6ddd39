#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "core/dsp/audio_file.h"
#include "tests/e2e/folder_fixture.h"

namespace qingyin::test {
namespace {

using nlohmann::json;

class VerbsTest : public FolderTest {
 protected:
  // Hash of the picture's packets: nothing was re-encoded.
  std::string picture(const std::string& name) const {
    return shell_output("ffmpeg -v error -nostdin -i '" + (folder / name).string() +
                        "' -map 0:v:0 -c copy -f md5 -");
  }
  // Samples of the sound after decoding.
  std::int64_t sound_samples(const std::string& name) const {
    return std::stoll(shell_output("ffmpeg -v error -nostdin -i '" + (folder / name).string() +
                                   "' -map 0:a:0 -ac 1 -f f32le - | wc -c")) /
           4;
  }
};

TEST_F(VerbsTest, AddKeepsThePictureAndFitsTheSound) {
  const auto made = here({"add", "clip.mp4"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  EXPECT_EQ(made.out, "clip.sound.mp4\n") << "results only on standard output";
  EXPECT_EQ(names(),
            (std::set<std::string>{"clip.mp4", "clip.sound.mp4", "clip.sound.report.json"}));
  EXPECT_EQ(picture("clip.mp4"), picture("clip.sound.mp4"));
  EXPECT_EQ(sound_samples("clip.sound.mp4"), 97920);  // 2.04 s

  const auto report = json::parse(bytes("clip.sound.report.json"));
  EXPECT_EQ(report["schema"], "qingyin.report/1");
  EXPECT_EQ(report["engine"]["name"], "bundled");
  EXPECT_FALSE(report["engine"]["models"].empty());

  const auto again = here({"add", "clip.mp4", "--json"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(json::parse(again.out)["items"][0]["status"], "skipped");
}

TEST_F(VerbsTest, AddTakesFoldersWordsAndBothNames) {
  const auto made = here({"add", "clip.mp4", "-o", "out/new/", "--prompt", "a bell, rain",
                          "--timeline", "t.json", "--stems", "stems", "--json"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto summary = json::parse(made.out);
  EXPECT_EQ(summary["schema"], "qingyin.result/1");
  EXPECT_EQ(summary["items"][0]["status"], "ok");
  EXPECT_TRUE(summary["items"][0]["timings_s"].contains("render"));
  for (const std::string path : summary["items"][0]["outputs"]) {
    EXPECT_TRUE(names().contains(path)) << path;
  }
  EXPECT_EQ(json::parse(bytes("t.json"))["ambience"][0]["label"], "rain");
  EXPECT_TRUE(names().contains("stems/mix.wav"));
  EXPECT_TRUE(names().contains("stems/ambience.wav"));

  const auto first = bytes("out/new/clip.sound.mp4");
  const auto both = here({"add", "clip.mp4", "-o", "out/new/", "--seed", "3", "--keep-both"});
  ASSERT_EQ(both.exit_code, 0) << both.err;
  EXPECT_EQ(both.out, "out/new/clip.sound.2.mp4\n");
  EXPECT_EQ(bytes("out/new/clip.sound.mp4"), first);
}

TEST_F(VerbsTest, UnderstandWritesEveryForm) {
  const auto found = here({"understand", "clip.mp4"});
  ASSERT_EQ(found.exit_code, 0) << found.err;
  EXPECT_EQ(json::parse(found.out)["schema"], "qingyin.events/1");
  EXPECT_EQ(here({"understand", "clip.mp4", "-o", "t.csv"}).exit_code, 0);
  EXPECT_EQ(bytes("t.csv").rfind("onset_s,offset_s,label", 0), 0U);
  EXPECT_EQ(here({"understand", "clip.mp4", "--format", "vtt"}).out.rfind("WEBVTT", 0), 0U);
  EXPECT_EQ(here({"understand", "clip.mp4", "-o", "t.csv"}).exit_code, 6);
  const auto summary = json::parse(here({"understand", "clip.mp4", "--json"}).out);
  EXPECT_EQ(summary["items"][0]["timeline"]["schema"], "qingyin.events/1");
}

TEST_F(VerbsTest, InfoDoctorSfxVersionAndHelp) {
  const auto info = json::parse(here({"info", "clip.mp4", "--json"}).out);
  EXPECT_EQ(info["items"][0]["frame_rate"], "25/1");
  EXPECT_EQ(info["items"][0]["width"], 160);
  EXPECT_EQ(here({"doctor"}).exit_code, 0);

  const auto bell = here({"sfx", "a bell", "-o", "bell.wav"});
  ASSERT_EQ(bell.exit_code, 0) << bell.err;
  EXPECT_GT(read_audio_file(folder / "bell.wav").length(), 4800);
  EXPECT_NE(bell.err.find("basic engine"), std::string::npos);
  const auto rain = here({"sfx", "雨", "--duration", "1.5", "-q"});
  EXPECT_EQ(rain.exit_code, 0) << rain.err;
  EXPECT_EQ(rain.out, "雨.wav\n");
  EXPECT_EQ(rain.err, "");
  EXPECT_EQ(read_audio_file(folder / "雨.wav").length(), 72000);

  EXPECT_EQ(here({"--version"}).out.rfind("qingyin ", 0), 0U);
  for (const char* verb : {"add", "understand", "render", "sfx", "info", "doctor", "completion"}) {
    const auto help = here({verb, "--help"});
    EXPECT_EQ(help.exit_code, 0);
    EXPECT_NE(help.out.find("Examples:\n  qingyin " + std::string(verb)), std::string::npos)
        << help.out;
  }
}

TEST_F(VerbsTest, RenderGivesTheSameBytesForAnyThreads) {
  folder.write("t.json", strikes(2.04, {0.2, 0.9, 1.4}));
  const auto one = here({"render", "t.json", "clip.mp4", "-o", "one.mp4", "--threads", "1"});
  ASSERT_EQ(one.exit_code, 0) << one.err;
  ASSERT_EQ(here({"render", "t.json", "clip.mp4", "-o", "two.mp4", "--threads", "2"}).exit_code, 0);
  EXPECT_EQ(bytes("one.mp4"), bytes("two.mp4"));
  EXPECT_EQ(picture("clip.mp4"), picture("one.mp4"));

  // Without a clip: sound only, by the timeline's own name.
  ASSERT_EQ(here({"render", "t.json"}).out, "t.wav\n");
  EXPECT_EQ(read_audio_file(folder / "t.wav").length(), 97920);

  // A clip finds the timeline beside it; a timeline finds its clip.
  folder.write("clip.events.json", strikes(2.04, {0.2, 0.9, 1.4}));
  EXPECT_EQ(here({"render", "clip.mp4"}).out, "clip.sound.mp4\n");
  EXPECT_EQ(here({"render", "t.json", "-o", "three.mp4"}).exit_code, 0);
  EXPECT_EQ(bytes("three.mp4"), bytes("one.mp4"));
}

TEST_F(VerbsTest, EventsKeepTheirSoundAloneAndWhenOthersChange) {
  folder.write("all.json", strikes(4, {0.2, 1.5, 2.8}, ", \"seed\": 5"));
  folder.write("locked.json", strikes(4, {0.2, 1.5, 2.8}, ", \"seed\": 5, \"locked\": true"));
  auto alone = json::parse(strikes(4, {0.2, 1.5, 2.8}, ", \"seed\": 5"));
  alone["events"] = json::array({alone["events"][1]});
  folder.write("alone.json", alone.dump());
  ASSERT_EQ(here({"render", "all.json", "--stems", "all"}).exit_code, 0);
  ASSERT_EQ(here({"render", "alone.json", "--stems", "alone"}).exit_code, 0);
  // The second event is the only one of its lane.
  EXPECT_EQ(bytes("all/impacts.wav"), bytes("alone/impacts.wav"));

  ASSERT_EQ(
      here({"render", "all.json", "--stems", "new", "--reroll", "e1,e3", "--timeline", "new.json"})
          .exit_code,
      0);
  EXPECT_EQ(bytes("all/impacts.wav"), bytes("new/impacts.wav"));
  EXPECT_NE(bytes("all/foley.wav"), bytes("new/foley.wav"));
  EXPECT_NE(json::parse(bytes("new.json"))["events"][0]["seed"], 5);

  const auto locked = here({"render", "locked.json", "--stems", "same", "--reroll", "e1,e3"});
  EXPECT_EQ(locked.exit_code, 0);
  EXPECT_NE(locked.err.find("locked"), std::string::npos);
  EXPECT_EQ(bytes("all/foley.wav"), bytes("same/foley.wav"));
  EXPECT_EQ(here({"render", "all.json", "--stems", "x", "--reroll", "e9"}).exit_code, 2);
}

TEST_F(VerbsTest, DryRunAndProgress) {
  const auto before = names();
  const auto plan = here({"add", "clip.mp4", "-o", "new/", "--dry-run", "--json"});
  EXPECT_EQ(plan.exit_code, 0);
  const auto item = json::parse(plan.out)["items"][0];
  EXPECT_EQ(item["status"], "planned");
  EXPECT_EQ(item["planned_outputs"][0], "new/clip.sound.mp4");
  EXPECT_EQ(names(), before);

  const auto watched = here({"understand", "clip.mp4", "--progress", "json", "-q"});
  const std::string first = watched.err.substr(0, watched.err.find('\n'));
  const auto line = json::parse(first);
  for (const char* key :
       {"schema", "item", "stage", "step", "steps", "fraction", "eta_s", "time"}) {
    EXPECT_TRUE(line.contains(key)) << key;
  }
  EXPECT_EQ(line["schema"], "qingyin.progress/1");
}

TEST_F(VerbsTest, EnvironmentStandsBehindTheCommandLine) {
  const auto run_with = [&](std::vector<std::string> more) {
    ProgramRun wanted{.arguments = {program(), "render", "t.json", "-o"}, .folder = folder.path()};
    wanted.arguments.insert(wanted.arguments.end(), more.begin(), more.end());
    wanted.environment["QINGYIN_SEED"] = "41";
    return run(wanted);
  };
  folder.write("t.json", strikes(1, {0.2}));
  const auto seed_of = [&](const char* name) {
    return json::parse(bytes(name))["seed"].get<int>();
  };
  ASSERT_EQ(run_with({"a.wav"}).exit_code, 0);
  EXPECT_EQ(seed_of("a.report.json"), 41);
  ASSERT_EQ(run_with({"b.wav", "--seed", "7"}).exit_code, 0);
  EXPECT_EQ(seed_of("b.report.json"), 7);
}

TEST_F(VerbsTest, SignalsStopInOrder) {
  std::vector<double> onsets;
  for (int k = 0; k < 400; ++k) onsets.push_back(0.1 * k);
  folder.write("long.json", strikes(60, onsets));
  const auto before = names();
  for (const auto& [signal, code] : {std::pair{SIGINT, 130}, {SIGTERM, 143}}) {
    ProgramRun wanted{.arguments = {program(), "render", "long.json", "-o", "long.wav", "--stems",
                                    "s", "--progress", "json"},
                      .folder = folder.path()};
    wanted.interrupt = ProgramRun::Interrupt{signal, "\"render\""};
    const auto stopped = run(wanted);
    EXPECT_EQ(stopped.exit_code, code) << stopped.err.substr(0, 400);
    auto after = names();
    after.erase("s");  // the folder for the stems may stay
    EXPECT_EQ(after, before);
  }
}

TEST_F(VerbsTest, TheProgramLinksNoProtobuf) {
  EXPECT_EQ(shell_output("ldd '" + program() + "' | grep -c proto || true"), "0\n");
}

}  // namespace
}  // namespace qingyin::test
