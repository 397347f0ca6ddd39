#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "core/dsp/audio_file.h"
#include "tests/e2e/folder_fixture.h"

namespace qingyin::test {
namespace {

using nlohmann::json;

class TrainTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    std::filesystem::create_directories(folder / "own/more");
  }

  /// Chirps that die out, half a second apart.
  void write_squeaks(const std::string& name, int count, double pitch_hz, double level = 0.3) {
    std::vector<float> samples;
    for (int k = 0; k < count; ++k) {
      for (int i = 0; i < 36000; ++i) {
        const double t = (i - 4800) / 48000.0;
        const double tone = std::sin(2 * std::numbers::pi * pitch_hz * t * (1 + 0.2 * t));
        samples.push_back(t < 0 ? 0.0F : static_cast<float>(level * std::exp(-t / 0.06) * tone));
      }
    }
    AudioFileWriter file(folder / name, 48000, 1, SampleFormat::kPcm24, Overwrite::kYes);
    file.write(samples);
    file.finish();
  }

  void write_constant(const std::string& name, float value, std::size_t length) {
    AudioFileWriter file(folder / name, 48000, 1, SampleFormat::kPcm24, Overwrite::kYes);
    file.write(std::vector<float>(length, value));
    file.finish();
  }

  Outcome train(std::vector<std::string> more) {
    std::vector<std::string> all{"train", "own", "--steps", "2", "--threads", "1", "--rank", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return run({.arguments = with_program(all), .folder = folder.path(), .limit = kPatience});
  }

  static std::vector<std::string> with_program(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program());
    return arguments;
  }

  static constexpr std::chrono::seconds kPatience{280};
};

TEST_F(TrainTest, TeachesANewClassThatTimelinesCanUse) {
  write_squeaks("own/one.wav", 1, 1500);
  write_squeaks("own/more/three.wav", 3, 1900);
  const auto made = train({"--class", "squeak", "--new", "Squeak", "-o", "mine.safetensors",
                           "--licence", "CC0-1.0", "--json"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto item = json::parse(made.out)["items"][0];
  EXPECT_EQ(item["outputs"][0], "mine.safetensors");
  EXPECT_EQ(item["classes"][0]["name"], "squeak");
  EXPECT_EQ(item["classes"][0]["sounds"], 4) << "three takes lie in one file";
  EXPECT_EQ(item["classes"][0]["shape"], "one_shot");
  EXPECT_FALSE(names().contains("mine.safetensors.run"));
  EXPECT_LT(std::filesystem::file_size(folder / "mine.safetensors"), 1000000U);

  const auto info = json::parse(here({"train", "--info", "mine.safetensors", "--json"}).out);
  EXPECT_EQ(info["items"][0]["belongs_to"], "the weights here");
  EXPECT_EQ(info["items"][0]["licence"], "CC0-1.0");

  auto timeline = json::parse(strikes(2.04, {0.5}));
  timeline["events"][0]["label"] = "squeak";
  folder.write("t.json", timeline.dump());
  ASSERT_EQ(here({"render", "t.json", "-o", "with.wav", "--adapter", "mine.safetensors"}).exit_code,
            0);
  ASSERT_EQ(here({"render", "t.json", "-o", "without.wav"}).exit_code, 0);
  EXPECT_NE(bytes("with.wav"), bytes("without.wav"));
  const auto report = json::parse(bytes("with.report.json"));
  EXPECT_EQ(report["events"][0]["label"], "squeak") << report["events"][0].dump();
  EXPECT_TRUE(report["engine"]["models"].contains("adapter mine:1"));

  const auto added = here({"add", "clip.mp4", "-o", "added.mp4", "--adapter",
                           "mine.safetensors:0.5", "--label", "squeaks"});
  EXPECT_EQ(added.exit_code, 0) << added.err;
  EXPECT_EQ(here({"add", "clip.mp4", "--adapter", "none.safetensors"}).exit_code, 4);
}

TEST_F(TrainTest, RefusesBadFilesOneByOneAndGoesOn) {
  write_squeaks("own/good.wav", 1, 1500);
  write_constant("own/silent.wav", 0, 48000);
  write_squeaks("own/WOODImpt_Knock_ABC_LIB.wav", 1, 400);
  write_squeaks("own/MUSCSong_Tune_ABC_LIB.wav", 1, 700);
  write_squeaks("own/unnamed.wav", 1, 700);
  write_squeaks("own/typo.wav", 1, 700);
  folder.write("own/broken.wav", "RIFF nothing");
  folder.write("own/labels.csv",
               "file,class,size\ngood.wav,bell,0.5\ntypo.wav,footstpe,\ngood.wav,bell,huge\n"
               "silent.wav,bell,\nbroken.wav,bell,\ngone.wav,bell,\n");
  const auto judged = train({"--dry-run", "--json"});
  ASSERT_EQ(judged.exit_code, 0) << judged.err;
  std::map<std::string, std::string> reasons;
  const auto item = json::parse(judged.out)["items"][0];
  for (const auto& refused : item["refused"]) reasons[refused["file"]] = refused["reason"];
  EXPECT_EQ(reasons["silent.wav"], "silent");
  EXPECT_EQ(reasons["broken.wav"], "unreadable");
  EXPECT_EQ(reasons["unnamed.wav"], "no_label");
  EXPECT_EQ(reasons["MUSCSong_Tune_ABC_LIB.wav"], "unknown_label");
  EXPECT_EQ(reasons["typo.wav"], "unknown_label");
  EXPECT_EQ(reasons["labels.csv"], "bad_label");
  EXPECT_EQ(reasons["gone.wav"], "not_found");
  EXPECT_EQ(item["files"], 2);
  std::set<std::string> classes;
  for (const auto& c : item["classes"]) classes.insert(c["name"].get<std::string>());
  EXPECT_EQ(classes, (std::set<std::string>{"bell", "impact"}));
  EXPECT_NE(judged.err.find("--new footstpe"), std::string::npos) << judged.err;
}

TEST_F(TrainTest, SaysWhatItCannotDo) {
  EXPECT_EQ(train({"-o", "a.safetensors"}).exit_code, 3) << "an empty folder";
  write_squeaks("own/good.wav", 1, 1500);
  EXPECT_EQ(train({"-o", "a.safetensors"}).exit_code, 3) << "no label";
  EXPECT_EQ(train({"--class", "bell"}).exit_code, 2) << "no output";
  EXPECT_EQ(train({"--class", "bell", "-o", "a.txt"}).exit_code, 2);
  EXPECT_EQ(train({"--class", "bell", "--new", "bell", "-o", "a.safetensors"}).exit_code, 2);
  EXPECT_EQ(train({"--class", "x", "--new", "x:wobble", "-o", "a.safetensors"}).exit_code, 2);
  folder.write("a.safetensors", "mine");
  EXPECT_EQ(train({"--class", "bell", "-o", "a.safetensors"}).exit_code, 6);
  EXPECT_EQ(bytes("a.safetensors"), "mine");
  EXPECT_EQ(here({"train", "--info", "a.safetensors"}).exit_code, 4);
  EXPECT_EQ(here({"train", "nowhere", "-o", "b.safetensors"}).exit_code, 3);
  EXPECT_EQ(here({"sfx", "bell", "--engine", "mmaudio:small_16k", "--adapter", "a"}).exit_code, 2);
}

TEST_F(TrainTest, LearnsFromVideosWithSound) {
  shell(
      "ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=s=160x120:r=25:d=3 -f lavfi -i "
      "\"aevalsrc='0.4*exp(-30*mod(t,1))*sin(2*PI*700*t)':d=3:s=48000\" -c:v mpeg4 -c:a aac "
      "-shortest " +
      (folder / "own/knocks.mp4").string());
  const auto made = train({"--class", "impact", "--only", "both", "-o", "v.safetensors", "--json"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto item = json::parse(made.out)["items"][0];
  EXPECT_GE(item["onsets"], 2);
  EXPECT_FALSE(item["adapter"]["detector_base"].get<std::string>().empty());
  EXPECT_FALSE(item["adapter"]["foley_base"].get<std::string>().empty());
  const auto seen = here({"understand", "clip.mp4", "--adapter", "v.safetensors"});
  ASSERT_EQ(seen.exit_code, 0) << seen.err;
  EXPECT_TRUE(json::parse(seen.out)["made_by"]["models"].contains("adapter v:1"));
}

}  // namespace
}  // namespace qingyin::test
