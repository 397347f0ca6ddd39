#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/program.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {

/// A folder with `clip.mp4` (2.04 s of a moving picture without sound), made once for all tests.
class FolderTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    source_ = std::make_unique<TemporaryFolder>();
    shell("ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=s=160x120:r=25:d=2.04 -c:v mpeg4 " +
          (*source_ / "clip.mp4").string());
  }
  static void TearDownTestSuite() { source_.reset(); }

  void SetUp() override { std::filesystem::copy(*source_ / "clip.mp4", folder / "clip.mp4"); }

  /// Every name below the folder.
  std::set<std::string> names() const {
    std::set<std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
      all.insert(std::filesystem::relative(entry.path(), folder.path()).string());
    }
    return all;
  }

  std::string bytes(const std::string& name) const {
    std::ifstream file(folder / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Outcome here(const std::vector<std::string>& arguments) const {
    return qingyin(arguments, folder.path());
  }

  TemporaryFolder folder;

 private:
  static inline std::unique_ptr<TemporaryFolder> source_;
};

/// A timeline of strikes as JSON; `extra` goes into each event.
inline std::string strikes(double duration_s, const std::vector<double>& onsets_s,
                           const std::string& extra = "") {
  std::string events;
  for (std::size_t k = 0; k < onsets_s.size(); ++k) {
    events += (k == 0 ? "" : ", ") + std::string("{\"id\": \"e") + std::to_string(k + 1) +
              "\", \"label\": \"impact\", \"material\": \"wood\", \"lane\": \"" +
              (k % 2 == 0 ? "foley" : "impacts") +
              "\", \"onset_s\": " + std::to_string(onsets_s[k]) +
              ", \"offset_s\": " + std::to_string(onsets_s[k] + 0.05) + extra + "}";
  }
  return "{\"schema\": \"qingyin.events/1\", \"clip\": {\"path\": \"clip.mp4\", \"duration_s\": " +
         std::to_string(duration_s) +
         ", \"frame_rate\": \"25/1\", \"width\": 160, \"height\": 120}, \"events\": [" + events +
         "]}";
}

}  // namespace qingyin::test
