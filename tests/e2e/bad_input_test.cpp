#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/e2e/folder_fixture.h"

namespace qingyin::test {
namespace {

// One line, or one and a list of places indented below it.
bool is_one_message(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line) || line.rfind("qingyin: ", 0) != 0) return false;
  while (std::getline(lines, line)) {
    if (line.rfind("  ", 0) != 0) return false;
  }
  return true;
}

class BadInputTest : public FolderTest {
 protected:
  /// The run fails with this code and one message that holds `words`, and changes no file.
  void fails(const std::vector<std::string>& arguments, int code, const std::string& words) {
    const auto before = names();
    const auto outcome = here(arguments);
    std::string line;
    for (const auto& argument : arguments) line += argument + " ";
    EXPECT_EQ(outcome.exit_code, code) << line << "\n" << outcome.err;
    EXPECT_EQ(outcome.out, "") << line;
    EXPECT_TRUE(is_one_message(outcome.err)) << line << "\n" << outcome.err;
    EXPECT_NE(outcome.err.find(words), std::string::npos) << line << "\n" << outcome.err;
    EXPECT_EQ(names(), before) << line;
  }
};

TEST_F(BadInputTest, Clips) {
  folder.write("zero.mp4", "");
  folder.write("text.mp4", "this is not a video, only words\n");
  std::filesystem::create_directory(folder / "folder.mp4");
  ASSERT_EQ(mkfifo((folder / "pipe.mp4").c_str(), 0600), 0);
  shell("ffmpeg -v error -nostdin -f lavfi -i sine=d=1 -c:a aac " + (folder / "a.m4a").string());
  for (const char* verb : {"add", "understand", "info"}) {
    fails({verb, "missing.mp4"}, 3, "missing.mp4");
    fails({verb, "folder.mp4"}, 3, "folder.mp4");
    fails({verb, "zero.mp4"}, 3, "zero.mp4");
    fails({verb, "text.mp4"}, 3, "text.mp4");
    fails({verb, "pipe.mp4"}, 3, "pipe.mp4");
    fails({verb, "a.m4a"}, 3, "a.m4a");
  }
  const auto told = here({"add", "a.m4a", "--json"});
  const auto item = nlohmann::json::parse(told.out)["items"][0];
  EXPECT_EQ(item["exit_code"], 3);
  EXPECT_EQ(item["reason"], "no_video");
}

TEST_F(BadInputTest, Timelines) {
  folder.write("broken.json", "{\"schema\": \"qingyin.events/1\", ");
  folder.write("late.json", strikes(1, {0.2, 5}));
  folder.write("fits.json", strikes(9, {0.2, 5}));
  folder.write("t.json", strikes(1, {0.2}));
  auto unknown = nlohmann::json::parse(strikes(1, {0.2}));
  unknown["events"][0]["label"] = "blorgle\x1b[31m";
  unknown["events"][0].erase("material");
  folder.write("unknown.json", unknown.dump());
  fails({"render", "missing.json"}, 3, "missing.json");
  fails({"render", "broken.json"}, 3, "broken.json");
  fails({"render", "late.json"}, 3, "/events/1");
  fails({"render", "fits.json", "clip.mp4"}, 3, "e2");
  fails({"render", "unknown.json"}, 3, "blorgle");
  EXPECT_EQ(here({"render", "unknown.json"}).err.find('\x1b'), std::string::npos);
  fails({"render", "clip.mp4"}, 3, "clip.events.json");
  fails({"render", "t.json", "-o", "x.mkv.txt"}, 2, ".mp4");
  fails({"render", "t.json", "missing.mp4"}, 3, "missing.mp4");
}

TEST_F(BadInputTest, CommandLines) {
  fails({}, 2, "--help");
  fails({"frobnicate"}, 2, "frobnicate");
  fails({"add"}, 2, "clip");
  fails({"add", "clip.mp4", "--frobnicate"}, 2, "--frobnicate");
  fails({"add", "clip.mp4", "--seed", "-1"}, 2, "-1");
  fails({"add", "clip.mp4", "--seed", "x"}, 2, "x");
  fails({"add", "clip.mp4", "--sensitivity", "nan"}, 2, "nan");
  fails({"add", "clip.mp4", "--original", "half"}, 2, "keep|duck|replace");
  fails({"add", "clip.mp4", "--loudness", "loud"}, 2, "ebu-r128");
  fails({"add", "clip.mp4", "--overwrite", "--keep-both"}, 2, "--keep-both");
  fails({"add", "clip.mp4", "--label", "blorgle"}, 2, "footstep");
  fails({"sfx", "blorgle"}, 2, "footstep");
  fails({"add", "clip.mp4", "--models", "nowhere"}, 4, "nowhere");
  fails({"completion", "tcsh"}, 2, "bash|zsh|fish");
}

TEST_F(BadInputTest, Targets) {
  folder.write("taken.mp4", "precious");
  folder.write("t.json", strikes(1, {0.2}));
  fails({"add", "clip.mp4", "-o", "taken.mp4"}, 6, "--overwrite");
  fails({"add", "clip.mp4", "-o", "none/x.mp4"}, 6, "none");
  fails({"add", "clip.mp4", "-o", "clip.mp4"}, 6, "clip.mp4");
  fails({"render", "t.json", "-o", "none/x.wav"}, 6, "none");
  fails({"add", "clip.mp4", "-o", "taken.mp4/x/"}, 6, "taken.mp4");
  EXPECT_EQ(bytes("taken.mp4"), "precious");
  if (geteuid() == 0) return;  // root may write everywhere
  std::filesystem::create_directory(folder / "sealed");
  std::filesystem::permissions(folder / "sealed", std::filesystem::perms::owner_read);
  fails({"add", "clip.mp4", "-o", "sealed/x.mp4"}, 6, "sealed");
}

TEST_F(BadInputTest, NamesOfStrangersAreEscaped) {
  const auto outcome = here({"info", "evil\x1b]0;title\x07\n.mp4"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_EQ(outcome.err.find('\x1b'), std::string::npos);
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1);
}

TEST_F(BadInputTest, AClosedStandardOutputEndsQuietly) {
  const auto outcome = run({.arguments = {program(), "info", "clip.mp4"},
                            .folder = folder.path(),
                            .closes_stdout = true});
  EXPECT_EQ(outcome.exit_code, 6);
  EXPECT_EQ(outcome.err, "");
}

}  // namespace
}  // namespace qingyin::test
