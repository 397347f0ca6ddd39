#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/targets.h"

// Every file of the corpora, and every input that ever failed, through its target: no clang needed.

namespace qingyin::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = fs::path(QINGYIN_SOURCE_DIR) / "tests/fuzz/corpus";

TEST(FuzzRegression, EveryTargetHasACorpusAndEveryCorpusATarget) {
  for (const auto& [name, target] : targets()) {
    EXPECT_TRUE(fs::is_directory(kCorpus / name) && !fs::is_empty(kCorpus / name)) << name;
  }
  for (const auto& folder : fs::directory_iterator(kCorpus)) {
    EXPECT_TRUE(targets().contains(folder.path().filename().string())) << folder.path();
  }
}

TEST(FuzzRegression, NoInputFails) {
  for (const auto& [name, target] : targets()) {
    for (const auto& entry : fs::directory_iterator(kCorpus / name)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      EXPECT_NO_THROW(target(bytes)) << entry.path();
      EXPECT_NO_THROW(target(bytes.substr(0, bytes.size() / 2))) << entry.path();
    }
  }
}

}  // namespace
}  // namespace qingyin::fuzz
