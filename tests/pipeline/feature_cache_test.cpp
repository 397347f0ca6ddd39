#include "pipeline/feature_cache.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

FeatureTensor features(float first, std::int64_t rows = 4) {
  FeatureTensor made{.shape = {rows, 3}, .values = {}, .hop = Seconds(0.125)};
  for (std::int64_t i = 0; i < rows * 3; ++i)
    made.values.push_back(first + static_cast<float>(i) / 7);
  return made;
}

fs::path only_file(const fs::path& folder) { return fs::directory_iterator(folder)->path(); }

TEST(FeatureCache, GivesBackWhatWasPut) {
  const TemporaryFolder folder;
  const FeatureCache cache(folder / "below/it");
  EXPECT_FALSE(cache.find("a").has_value());
  ASSERT_TRUE(cache.put("a", features(1)));
  const auto found = FeatureCache(folder / "below/it").find("a");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->values, features(1).values);
  EXPECT_EQ(found->shape, features(1).shape);
  EXPECT_EQ(found->hop, Seconds(0.125));
  EXPECT_FALSE(cache.find("b").has_value());
}

TEST(FeatureCache, ADamagedFileIsNoneAndGoes) {
  for (const bool is_short : {false, true}) {
    const TemporaryFolder folder;
    const FeatureCache cache(folder.path());
    ASSERT_TRUE(cache.put("a", features(1)));
    const fs::path file = only_file(folder.path());
    if (is_short) {
      fs::resize_file(file, fs::file_size(file) - 1);
    } else {
      std::fstream(file, std::ios::in | std::ios::out | std::ios::binary)
          .seekp(-2, std::ios::end)
          .put('!');
    }
    EXPECT_FALSE(cache.find("a").has_value());
    EXPECT_FALSE(fs::exists(file));
    EXPECT_TRUE(cache.put("a", features(1)));
    EXPECT_TRUE(cache.find("a").has_value());
  }
}

TEST(FeatureCache, TheOldestGoWhenItIsFullButNoneOfThisRun) {
  const TemporaryFolder folder;
  const FeatureCache before(folder.path());
  for (const char* key : {"a", "b", "c"}) ASSERT_TRUE(before.put(key, features(1, 100)));
  for (const auto& item : fs::directory_iterator(folder.path()))
    fs::last_write_time(item.path(), fs::file_time_type::clock::now() - std::chrono::hours(1));
  const FeatureCache small(folder.path(), 3000);
  EXPECT_TRUE(small.find("b").has_value());  // used now: it stays
  ASSERT_TRUE(small.put("d", features(1, 100)));
  EXPECT_FALSE(small.find("a").has_value());
  EXPECT_TRUE(small.find("b").has_value());
  EXPECT_FALSE(small.find("c").has_value());
  EXPECT_TRUE(small.find("d").has_value());
}

TEST(FeatureCache, AFolderThatCannotBeMadeIsNoError) {
  const TemporaryFolder folder;
  folder.write("file", "x");
  const FeatureCache cache(folder / "file/below");
  EXPECT_FALSE(cache.put("a", features(1)));
  EXPECT_FALSE(cache.find("a").has_value());
}

TEST(FeatureCache, WritersAndReadersDoNotDisturbEachOther) {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const FeatureCache cache(folder.path());
      for (int i = 0; i < 20; ++i) {
        if (t % 2 == 0) cache.put("a", features(static_cast<float>(t)));
        const auto found = cache.find("a");
        if (found && found->values != features(found->values.front()).values) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace qingyin::test
