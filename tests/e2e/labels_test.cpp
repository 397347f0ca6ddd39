// Names for what sounds, with a tiny random CLIP in the published layout: what is checked is
// everything but how good the names are.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/e2e/folder_fixture.h"
#include "tests/e2e/mmaudio_folder.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class LabelsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    shared_ = std::make_unique<TemporaryFolder>();
    write_tiny_mmaudio(*shared_ / "model");
    // A box that falls and stops, twice.
    shell(
        "ffmpeg -v error -nostdin -y -f lavfi -i color=c=gray:s=320x240:r=25:d=3.2 -f lavfi -i "
        "color=c=white:s=60x60:r=25:d=3.2 -filter_complex "
        "\"[0][1]overlay=x=130:y='if(lt(mod(t,1.6),0.8),mod(t,1.6)*mod(t,1.6)*250,160)'\" "
        "-c:v mpeg4 -q:v 2 " +
        (*shared_ / "clip.mp4").string());
  }
  static void TearDownTestSuite() { shared_.reset(); }

  static std::string clip() { return (*shared_ / "clip.mp4").string(); }
  static std::string model() { return (*shared_ / "model").string(); }

  Outcome run_here(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), program());
    return run({.arguments = std::move(arguments),
                .folder = folder.path(),
                .environment = {{"XDG_CACHE_HOME", (folder / "cache").string()},
                                {"XDG_CONFIG_HOME", (folder / "config").string()},
                                {"HF_HOME", (folder / "hf").string()}},
                .limit = std::chrono::seconds(200)});
  }

  json understood(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"understand", clip(), "--json", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto outcome = run_here(arguments);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return json::parse(outcome.out)["items"][0];
  }

  TemporaryFolder folder;

 private:
  static inline std::unique_ptr<TemporaryFolder> shared_;
};

TEST_F(LabelsTest, EventsAreNamedAndASecondRunReadsNoText) {
  const json first = understood({"--clip", model()});
  const json& events = first["timeline"]["events"];
  ASSERT_GE(events.size(), 1U) << first;
  for (const auto& event : events) {
    ASSERT_EQ(event["labels"].size(), 3U) << event;
    double last = 1;
    for (const auto& label : event["labels"]) {
      EXPECT_LE(label["score"].get<double>(), last);
      EXPECT_GT(label["score"].get<double>(), 0);
      last = label["score"];
    }
  }
  const json& made_by = first["timeline"]["made_by"]["models"];
  EXPECT_EQ(made_by["clip"].get<std::string>().size(), 64U);
  EXPECT_EQ(made_by["labels"].get<std::string>().size(), 64U);
  const json& facts = first["features"];
  EXPECT_GT(facts["label_texts_encoded"], 600);
  EXPECT_GT(facts["label_pictures_encoded"], 2);

  const json again = understood({"--clip", model()});
  EXPECT_EQ(again["timeline"], first["timeline"]);
  EXPECT_EQ(again["features"]["label_texts_encoded"], 0);
  EXPECT_EQ(again["features"]["label_pictures_encoded"], 0);
  EXPECT_EQ(again["features"]["label_pictures_cached"], facts["label_pictures_encoded"]);
}

TEST_F(LabelsTest, WithoutWeightsAllIsAsBefore) {
  const json automatic = understood({}), none = understood({"--labels", "none"});
  EXPECT_EQ(automatic["timeline"], none["timeline"]);
  for (const auto& event : automatic["timeline"]["events"])
    EXPECT_FALSE(event.contains("labels")) << event;
  const auto wanted = run_here({"understand", clip(), "--clip", (folder / "nowhere").string()});
  EXPECT_EQ(wanted.exit_code, 4);
  EXPECT_NE(wanted.err.find("open_clip_pytorch_model.bin"), std::string::npos) << wanted.err;
}

TEST_F(LabelsTest, AListOfOnesOwnIsRead) {
  std::ofstream(folder / "mine.tsv") << "label\tkind\tsound\tmaterial\tpicture\tcaption\n"
                                        "box\tstrike\tdrop\t\ta white box\ta box plops\n"
                                        "grey\tambience\train\t\ta grey picture\tdrizzle\n";
  const json found = understood({"--clip", model(), "--labels", "mine.tsv"});
  for (const auto& event : found["timeline"]["events"]) {
    if (event.contains("envelope")) continue;
    EXPECT_EQ(event["label"], "drop");  // the only name there is
    EXPECT_EQ(event["caption"], "a box plops");
    EXPECT_EQ(event["labels"][0]["score"], 1);
  }
  ASSERT_EQ(found["timeline"]["ambience"].size(), 1U);
  EXPECT_EQ(found["timeline"]["ambience"][0]["caption"], "drizzle");

  std::ofstream(folder / "bad.tsv") << "label\tkind\tsound\tmaterial\tpicture\tcaption\n"
                                       "box\tstroke\tdrop\t\ta white box\ta box plops\n";
  const auto bad = run_here({"understand", clip(), "--clip", model(), "--labels", "bad.tsv"});
  EXPECT_EQ(bad.exit_code, 3);
  EXPECT_NE(bad.err.find("line 2: kind is"), std::string::npos) << bad.err;
  const auto absent = run_here({"understand", clip(), "--labels", "mine.tsv"});
  EXPECT_EQ(absent.exit_code, 4);
  EXPECT_NE(absent.err.find("models pull"), std::string::npos) << absent.err;
}

TEST_F(LabelsTest, AddPutsTheNamesIntoItsTimeline) {
  const auto outcome =
      run_here({"add", clip(), "--engine", "mmaudio:custom", "--models", model(), "--render",
                "events", "--steps", "2", "--threads", "1", "--timeline", "t.json", "-o", "a.wav"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  std::ifstream file(folder / "t.json");
  const json timeline = json::parse(file);
  ASSERT_GE(timeline["events"].size(), 1U);
  for (const auto& event : timeline["events"]) EXPECT_EQ(event["labels"].size(), 3U);
  std::ifstream report_file(folder / "a.report.json");
  EXPECT_GT(json::parse(report_file)["features"]["label_pictures_encoded"], 0);
}

}  // namespace
}  // namespace qingyin::test
