#include "tests/parity/checkpoints.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/parity/case_registry.h"
#include "tests/parity/table.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

/// Whether a file beside the manifest is what a row of it names, or belongs to such a file: an
/// expectation, or a shard in the folder of an index.
bool is_understood(const fs::path& file, const std::set<fs::path>& named,
                   const std::set<fs::path>& model_folders) {
  const std::string name = file.filename().string();
  if (name == "manifest.tsv" || name == "digests.tsv" || name == "README.md" || name == "LICENSE")
    return true;
  return named.contains(file) || model_folders.contains(file.parent_path()) ||
         name.find(".expected") != std::string::npos;
}

/// One failing test for each file that no row of the manifest explains.
void register_strays(const std::string& suite, const fs::path& folder) {
  std::set<fs::path> named, model_folders;
  for (const Row& row : read_table(folder / "manifest.tsv")) {
    const fs::path file = folder / row.at("file");
    named.insert(file);
    if (file.extension() == ".json" && file.parent_path() != folder)
      model_folders.insert(file.parent_path());
  }
  for (const auto& item : fs::recursive_directory_iterator(folder)) {
    const fs::path file = item.path();
    if (!item.is_regular_file() || is_understood(file, named, model_folders)) continue;
    register_case(suite, "unknown_" + file.lexically_relative(folder).string(),
                  [file] { FAIL() << file << " is in no manifest: no test understands it"; });
  }
}

bool has_manifest(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "manifest.tsv", ignored);
}

}  // namespace

void register_checkpoint_tests(const fs::path& folder) {
  const std::set<std::string> known{"good", "bad", "either", "third_party"};
  for (const auto& item : fs::directory_iterator(folder)) {
    const std::string name = item.path().filename().string();
    if (!item.is_directory()) continue;
    if (!known.contains(name) || !has_manifest(item.path())) {
      register_case("checkpoints", "unknown_" + name, [path = item.path()] {
        FAIL() << path << " is no folder of vectors with a manifest.tsv";
      });
      continue;
    }
    if (name == "third_party") {
      register_third_party_tests(item.path());
      continue;
    }
    register_strays("checkpoints_" + name, item.path());
    if (name == "bad")
      register_refusal_tests(item.path());
    else
      register_loading_tests(item.path(), /*may_refuse=*/name == "either");
  }
}

}  // namespace qingyin::test
