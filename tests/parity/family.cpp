#include "tests/parity/family.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/parity/case_registry.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> fixtures_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& item : fs::recursive_directory_iterator(folder)) {
    const fs::path& path = item.path();
    const bool is_about_fixtures = path.filename() == "README.md" ||
                                   path.filename() == "report.json" || path.extension() == ".py";
    if (item.is_regular_file() && !is_about_fixtures)
      files.push_back(path.lexically_relative(folder));
  }
  std::ranges::sort(files);
  return files;
}

void register_unclaimed(const Family& family, const fs::path& file) {
  if (family.is_complete)
    return register_case(family.name, file.string(),
                         [file] { FAIL() << file << " is a fixture that no test understands"; });
  register_skip(family.name, file.string(),
                family.parts.empty() ? "no engine for the family " + family.name + " yet"
                                     : "no network for this fixture yet");
}

}  // namespace

void register_family(const Family& family, const fs::path& folder) {
  const std::vector<fs::path> files = fixtures_below(folder);
  std::set<fs::path> unclaimed(files.begin(), files.end());
  for (const FamilyPart& part : family.parts) {
    std::vector<fs::path> claimed;
    std::ranges::copy_if(files, std::back_inserter(claimed), part.claims);
    for (const fs::path& file : claimed) unclaimed.erase(file);
    if (!claimed.empty()) part.register_tests(folder, claimed);
  }
  for (const fs::path& file : unclaimed) register_unclaimed(family, file);
}

}  // namespace qingyin::test
