// Discovers fixtures when it starts and registers one test per case: a new file is a new test and
// no line of code.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "tests/parity/case_registry.h"
#include "tests/parity/checkpoints.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

struct Family {
  std::string name;
  std::function<void(const fs::path& folder)> register_tests;  // none: there is no engine yet
};

const std::array<Family, 4> kFamilies{{
    {"checkpoints", register_checkpoint_tests},
    {"mmaudio", {}},
    {"cogvideox", {}},
    {"hunyuan_foley", {}},
}};

bool is_fixture(const fs::directory_entry& item) {
  return item.is_regular_file() && item.path().filename() != "README.md" &&
         item.path().extension() != ".py";
}

void register_skips(const std::string& family, const fs::path& folder) {
  for (const auto& item : fs::recursive_directory_iterator(folder))
    if (is_fixture(item))
      register_skip(family, item.path().lexically_relative(folder).string(),
                    "no engine for the family " + family + " yet");
}

/// Says of each family that no root holds that it was not tested.
void register_absences(const std::vector<FixtureRoot>& roots) {
  for (const Family& family : kFamilies) {
    const bool is_there = std::ranges::any_of(roots, [&](const FixtureRoot& root) {
      std::error_code ignored;
      return fs::is_directory(root.path / family.name, ignored);
    });
    if (!is_there)
      register_skip(
          family.name, "no_fixtures",
          "no root holds fixtures of the family " + family.name + "; name one in QINGYIN_FIXTURES");
  }
}

void register_root(const FixtureRoot& root) {
  std::error_code error;
  if (!fs::is_directory(root.path, error))
    return register_skip("roots", root.path.string(),
                         root.path.string() + ", named by " + root.origin + ", is not there");
  bool has_family = false;
  for (const Family& family : kFamilies) {
    const fs::path folder = root.path / family.name;
    if (!fs::is_directory(folder, error)) continue;
    has_family = true;
    if (family.register_tests)
      family.register_tests(folder);
    else
      register_skips(family.name, folder);
  }
  register_case("roots", root.path.string(), [has_family, root] {
    EXPECT_TRUE(has_family) << root.path << ", named by " << root.origin
                            << ", holds no family of fixtures";
  });
}

}  // namespace
}  // namespace qingyin::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const auto roots = qingyin::test::fixture_roots();
  for (const auto& root : roots) qingyin::test::register_root(root);
  qingyin::test::register_absences(roots);
  return RUN_ALL_TESTS();
}
