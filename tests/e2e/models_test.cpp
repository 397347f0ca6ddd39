#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/e2e/folder_fixture.h"

namespace qingyin::test {
namespace {

using nlohmann::json;

/// `qingyin models` with a cache and a record of licences of the test's own, and no hub.
class ModelsTest : public FolderTest {
 protected:
  Outcome models(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {program(), "models"});
    return run({.arguments = arguments,
                .folder = folder.path(),
                .environment = {{"XDG_CACHE_HOME", (folder / "cache").string()},
                                {"XDG_CONFIG_HOME", (folder / "config").string()},
                                {"HF_HUB_CACHE", (folder / "hub").string()},
                                {"HF_ENDPOINT", "http://127.0.0.1:1"},
                                {"HF_HUB_OFFLINE", "1"}}});
  }
};

TEST_F(ModelsTest, ListsWhatIsKnownAndWhatItMayBeUsedFor) {
  const auto all = models({"list", "--json"});
  ASSERT_EQ(all.exit_code, 0) << all.err;
  const auto list = json::parse(all.out)["items"][0]["models"];
  const auto free = models({"list", "--commercial", "--json"});
  const auto free_list = json::parse(free.out)["items"][0]["models"];
  EXPECT_GT(list.size(), free_list.size());
  ASSERT_FALSE(free_list.empty());
  for (const auto& model : free_list) EXPECT_TRUE(model["commercial_use"]);
  for (const auto& model : list) EXPECT_EQ(model["state"], "absent") << model["model"];
}

TEST_F(ModelsTest, PullsNothingBeforeTheLicenceIsAccepted) {
  const auto refused = models({"pull", "mmaudio:small_16k"});
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_NE(refused.err.find("--accept-licence"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("not for commercial use"), std::string::npos) << refused.err;
  const auto offline = models({"pull", "mmaudio:small_16k", "--accept-licence"});
  EXPECT_EQ(offline.exit_code, 4);
  EXPECT_NE(offline.err.find("the network is off"), std::string::npos) << offline.err;
  const auto later = models({"pull", "mmaudio:small_16k"});
  EXPECT_EQ(later.err.find("--accept-licence"), std::string::npos) << "accepted once is enough";
}

TEST_F(ModelsTest, RefusesWrongWords) {
  EXPECT_EQ(models({"pull"}).exit_code, 2);
  EXPECT_EQ(models({"pull", "mmaudio:huge"}).exit_code, 2);
  EXPECT_EQ(models({"import", "."}).exit_code, 2);
  EXPECT_EQ(models({"fetch"}).exit_code, 2);
  const auto nothing = models({"import", ".", "mmaudio:small_16k", "--accept-licence"});
  EXPECT_EQ(nothing.exit_code, 3);
  EXPECT_NE(nothing.err.find("nothing usable"), std::string::npos) << nothing.err;
  EXPECT_EQ(models({"verify"}).exit_code, 0);
  EXPECT_EQ(models({"verify", "mmaudio:small_16k"}).exit_code, 4);
}

}  // namespace
}  // namespace qingyin::test
