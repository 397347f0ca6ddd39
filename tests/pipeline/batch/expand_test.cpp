#include "pipeline/batch/expand.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <string>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::batch {
namespace {

namespace fs = std::filesystem;
using test::throws_error;

class ExpandTest : public testing::Test {
 protected:
  ExpandTest() {
    for (const char* name : {"in", "in/day", "in/out", "elsewhere"}) {
      fs::create_directory(folder / name);
    }
    for (const char* name : {"in/b.mp4", "in/a", "in/.hidden.mp4", "in/notes.txt", "in/Pic.JPG",
                             "in/day/c.mov", "in/out/old.mp4", "elsewhere/x.mp4"}) {
      folder.write(name, "x");
    }
  }

  // Inputs below the test's folder.
  std::set<std::string> inputs(const Source& source) const {
    std::set<std::string> names;
    for (const auto& item : expand(source, {}).items) {
      names.insert(item.input.lexically_relative(folder.path()).string());
    }
    return names;
  }

  std::string in() const { return (folder / "in").string(); }

  test::TemporaryFolder folder;
};

TEST_F(ExpandTest, FoldersGiveEveryFileThatMayBeAClip) {
  EXPECT_EQ(inputs({in(), false, "o"}), (std::set<std::string>{"in/a", "in/b.mp4"}));
  EXPECT_EQ(inputs({in() + "/", true, folder / "in/out"}),
            (std::set<std::string>{"in/a", "in/b.mp4", "in/day/c.mov"}));
  const auto found = expand({in(), true, folder / "in/out"}, {});
  EXPECT_EQ(found.left_out.size(), 2U);
  for (const auto& item : found.items) {
    EXPECT_EQ(item.folder, item.input.filename() == "c.mov" ? "day" : "") << item.input;
  }
}

TEST_F(ExpandTest, LinksDoNotLeadOutOfTheFolder) {
  fs::create_symlink(folder / "elsewhere/x.mp4", folder / "in/away.mp4");
  fs::create_symlink("b.mp4", folder / "in/beside.mp4");
  fs::create_directory_symlink(folder / "in", folder / "in/loop");
  ASSERT_EQ(mkfifo((folder / "in/pipe.mp4").c_str(), 0600), 0);
  std::set<std::string> faulty, all;
  for (const auto& item : expand({in(), true, folder / "in/out"}, {}).items) {
    all.insert(item.input.filename());
    if (item.fault) faulty.insert(item.input.filename());
  }
  EXPECT_EQ(faulty, std::set<std::string>{"away.mp4"});
  EXPECT_EQ(all,
            (std::set<std::string>{"a", "b.mp4", "c.mov", "away.mp4", "beside.mp4", "pipe.mp4"}));
}

TEST_F(ExpandTest, PatternsFilesAndManifests) {
  EXPECT_EQ(inputs({in() + "/*.mp4", false, "o"}), std::set<std::string>{"in/b.mp4"});
  const auto deep = expand({in() + "/*/*.mov", false, "o"}, {});
  ASSERT_EQ(deep.items.size(), 1U);
  EXPECT_EQ(deep.items[0].folder, "day");
  EXPECT_EQ(inputs({in() + "/a", false, "o"}), std::set<std::string>{"in/a"});
  folder.write("in/list.csv", "input\nday/c.mov\n");
  EXPECT_EQ(inputs({in() + "/list.csv", false, "o"}), std::set<std::string>{"in/day/c.mov"});
  EXPECT_TRUE(throws_error(
      [&] {
        expand({in() + "/none", false, "o"}, {});
      },
      ErrorCode::kInvalidInput, "none"));
  EXPECT_TRUE(throws_error(
      [&] {
        expand({in() + "/*.avi", false, "o"}, {});
      },
      ErrorCode::kInvalidInput, "no file matches"));
}

TEST_F(ExpandTest, ResultsDoNotLieAmongTheClips) {
  for (const char* source : {"", "/b.mp4", "/*.mp4"}) {
    EXPECT_TRUE(throws_error(
        [&] {
          expand({in() + source, false, folder / "in"}, {});
        },
        ErrorCode::kUsage, "among the clips"))
        << source;
  }
}

}  // namespace
}  // namespace qingyin::batch
