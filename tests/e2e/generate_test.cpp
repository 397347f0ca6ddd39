#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/e2e/folder_fixture.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class GenerateTest : public FolderTest {
 protected:
  /// A tiny checkpoint of the parity fixtures with this name; empty if there is none.
  static std::string tiny(const std::string& name) {
    const char* const shared = std::getenv("QINGYIN_SHARED");
    const fs::path root =
        shared != nullptr ? fs::path(shared) : fs::path(QINGYIN_SOURCE_DIR) / ".." / "shared";
    const fs::path folder = root / "parity" / "cogvideox" / "pipelines" / name;
    return fs::exists(folder / "model_index.json") ? fs::canonical(folder).string() : "";
  }
};

TEST_F(GenerateTest, SuggestsPrompts) {
  const auto made = here({"generate", "一只猫在雨中奔跑", "--suggest", "--json"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto prompts = json::parse(made.out)["items"][0]["prompts"];
  ASSERT_EQ(prompts.size(), 3U);
  EXPECT_NE(prompts[0]["style"], prompts[1]["style"]);
  EXPECT_NE(prompts[0]["text"].get<std::string>().find("running"), std::string::npos);
  EXPECT_EQ(names(), (std::set<std::string>{"clip.mp4"}));
}

TEST_F(GenerateTest, SaysWhatIsWrong) {
  EXPECT_EQ(here({"generate", "a dog", "--suggest", "--style", "baroque"}).exit_code, 2);
  EXPECT_EQ(here({"generate", "a dog", "--model", "cogvideox:9b"}).exit_code, 2);
  const auto none = here({"generate", "a dog", "--model", "nowhere/"});
  EXPECT_EQ(none.exit_code, 2) << none.err;
  const auto empty = here({"generate", "a dog", "--model", "."});
  EXPECT_EQ(empty.exit_code, 4) << empty.err;
  EXPECT_EQ(here({"rerun", "clip.mp4"}).exit_code, 3);
  EXPECT_EQ(names(), (std::set<std::string>{"clip.mp4"}));
}

TEST_F(GenerateTest, MakesAClipWithItsSound) {
  const std::string model = tiny("t2v_2b_ddim");
  if (model.empty()) GTEST_SKIP() << "no tiny checkpoint: set QINGYIN_SHARED";
  const std::vector<std::string> order = {
      "generate", "a dog running", "--model", model,    "--size", "48x32", "--frames",
      "9",        "--steps",       "2",       "--seed", "7"};
  auto first = order;
  first.insert(first.end(), {"-o", "a.mp4"});
  const auto made = here(first);
  ASSERT_EQ(made.exit_code, 0) << made.err;
  for (const std::string name : {"a.mp4", "a.png", "a.clip.json", "a.report.json"})
    EXPECT_TRUE(names().contains(name)) << name;
  const auto samples = shell_output("ffmpeg -v error -nostdin -i '" + (folder / "a.mp4").string() +
                                    "' -map 0:a:0 -ac 1 -f f32le - | wc -c");
  EXPECT_EQ(std::stoll(samples) / 4, 54000) << "9 frames at 8 per second, at 48 kHz";

  const auto frames = [&](const std::string& name) {
    return shell_output("ffmpeg -v error -nostdin -i '" + (folder / name).string() +
                        "' -map 0:v:0 -f md5 -");
  };
  const auto again = here({"rerun", "a.clip.json", "-o", "b.mp4"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(frames("a.mp4"), frames("b.mp4")) << "the same seed gives the same frames";
  auto blocked = order;
  blocked.insert(blocked.end(), {"-o", "d.mp4"});
  std::ofstream(folder / "d.png") << "somebody's";
  EXPECT_EQ(here(blocked).exit_code, 6) << "the cover's name is taken";
  EXPECT_EQ(bytes("d.png"), "somebody's");
  EXPECT_FALSE(names().contains("d.mp4"));
  auto other = order;
  other.back() = "8";
  other.insert(other.end(), {"-o", "c.mp4", "--sound", "none"});
  ASSERT_EQ(here(other).exit_code, 0);
  EXPECT_NE(frames("a.mp4"), frames("c.mp4"));
}

// Hours of pictures must not be made for a sound that there is none for.
TEST_F(GenerateTest, RefusesUnknownSoundsBeforeThePicture) {
  const std::string model = tiny("t2v_2b_ddim");
  if (model.empty()) GTEST_SKIP() << "no tiny checkpoint: set QINGYIN_SHARED";
  const auto refused = here({"generate", "a dog", "--model", model, "--sound", "qwertzuiop", "-v"});
  EXPECT_EQ(refused.exit_code, 2) << refused.err;
  EXPECT_NE(refused.err.find("qwertzuiop"), std::string::npos) << refused.err;
  EXPECT_EQ(refused.err.find("step 1"), std::string::npos) << "it was begun: " << refused.err;
  EXPECT_EQ(names(), (std::set<std::string>{"clip.mp4"}));
}

TEST_F(GenerateTest, MissesTheSoundsWeightsBeforeThePicture) {
  const std::string model = tiny("t2v_2b_ddim");
  if (model.empty()) GTEST_SKIP() << "no tiny checkpoint: set QINGYIN_SHARED";
  const auto refused = here({"generate", "a dog", "--model", model, "--models", "nowhere", "-v"});
  EXPECT_EQ(refused.exit_code, 4) << refused.err;
  EXPECT_EQ(refused.err.find("step 1"), std::string::npos) << "it was begun: " << refused.err;
  EXPECT_EQ(names(), (std::set<std::string>{"clip.mp4"}));
}

// What is kept in 8 bits is so in the recipe, too; a plan of a rerun makes nothing.
TEST_F(GenerateTest, KeepsWeightsInEightBits) {
  const std::string model = tiny("t2v_2b_ddim");
  if (model.empty()) GTEST_SKIP() << "no tiny checkpoint: set QINGYIN_SHARED";
  const std::vector<std::string> order = {"generate", "a dog",    "--model", model,     "--size",
                                          "48x32",    "--frames", "9",       "--steps", "2",
                                          "--sound",  "none",     "-o"};
  const auto make = [&](const std::string& name, const std::string& weights) {
    auto words = order;
    words.insert(words.end(), {name, "--weights", weights});
    return here(words);
  };
  EXPECT_EQ(make("none.mp4", "int4").exit_code, 2);
  ASSERT_EQ(make("full.mp4", "full").exit_code, 0);
  ASSERT_EQ(make("small.mp4", "int8").exit_code, 0);
  EXPECT_NE(bytes("full.mp4"), bytes("small.mp4"));
  const auto plan = here({"rerun", "small.clip.json", "--dry-run"});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_NE(plan.out.find("weights in 8 bits"), std::string::npos) << plan.out;
  EXPECT_FALSE(names().contains("small.again.mp4"));
  ASSERT_EQ(here({"rerun", "small.clip.json", "-o", "again.mp4"}).exit_code, 0);
  EXPECT_EQ(bytes("again.mp4"), bytes("small.mp4"));
}

TEST_F(GenerateTest, NamesTheNearestThatIsRight) {
  const std::string model = tiny("t2v_2b_ddim");
  if (model.empty()) GTEST_SKIP() << "no tiny checkpoint: set QINGYIN_SHARED";
  const auto size = here({"generate", "a dog", "--model", model, "--size", "50x33"});
  EXPECT_EQ(size.exit_code, 2) << size.err;
  EXPECT_NE(size.err.find("48 x 32"), std::string::npos) << size.err;
  const auto frames = here({"generate", "a dog", "--model", model, "--frames", "10"});
  EXPECT_EQ(frames.exit_code, 2) << frames.err;
  EXPECT_NE(frames.err.find('9'), std::string::npos) << frames.err;
  const auto plan = here({"generate", "a dog", "--model", model, "--dry-run", "--json"});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_GT(json::parse(plan.out)["items"][0]["peak_bytes"], 0);
  EXPECT_EQ(names(), (std::set<std::string>{"clip.mp4"}));
}

}  // namespace
}  // namespace qingyin::test
