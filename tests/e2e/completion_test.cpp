#include <gtest/gtest.h>

#include "tests/e2e/folder_fixture.h"

namespace qingyin::test {
namespace {

std::string replies(const TemporaryFolder& folder, const std::string& words) {
  return shell_output(
      "cd '" + folder.path().string() + "'; source <('" + program() +
      "' completion bash); COMP_WORDS=(" + words +
      "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _qingyin; printf '%s\\n' \"${COMPREPLY[@]}\"");
}

using CompletionTest = FolderTest;

TEST_F(CompletionTest, BashKnowsVerbsOptionsAndWords) {
  EXPECT_EQ(replies(folder, "qingyin und"), "understand\n");
  EXPECT_EQ(replies(folder, "qingyin add --over"), "--overwrite\n");
  EXPECT_EQ(replies(folder, "qingyin add --original d"), "duck\n");
  EXPECT_EQ(replies(folder, "qingyin understand --format v"), "vtt\n");
  EXPECT_EQ(replies(folder, "qingyin completion f"), "fish\n");
  EXPECT_EQ(replies(folder, "qingyin add cl"), "clip.mp4\n");
  EXPECT_EQ(replies(folder, "qingyin add -o cl"), "clip.mp4\n");
  EXPECT_EQ(replies(folder, "qingyin understand --stems").find("--stems"), std::string::npos);
}

TEST_F(CompletionTest, OtherShellsParseTheirs) {
  const auto check = [&](const std::string& shell_name, const std::string& flag) {
    if (run({.arguments = {shell_name, "-c", "true"}}).exit_code != 0) {
      GTEST_SKIP() << shell_name << " is not installed";
    }
    const auto script = here({"completion", shell_name});
    ASSERT_EQ(script.exit_code, 0);
    const auto path = folder.write("script." + shell_name, script.out);
    const auto parsed = run({.arguments = {shell_name, flag, path.string()}});
    EXPECT_EQ(parsed.exit_code, 0) << parsed.err;
    EXPECT_EQ(parsed.err, "");
  };
  check("bash", "-n");
  check("zsh", "-n");
  check("fish", "-n");
  const auto offered = run({.arguments = {"fish", "-c",
                                          "source " + (folder / "script.fish").string() +
                                              "; complete -C 'qingyin add --orig'"}});
  EXPECT_NE(offered.out.find("--original"), std::string::npos) << offered.err;
}

}  // namespace
}  // namespace qingyin::test
