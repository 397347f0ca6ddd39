// Discovers fixtures when it starts and registers one test per case: a new file is a new test and
// no line of code.
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/parity/case_registry.h"
#include "tests/parity/checkpoints.h"
#include "tests/parity/cogvideox.h"
#include "tests/parity/family.h"
#include "tests/parity/mmaudio_audio.h"
#include "tests/parity/mmaudio_visual.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

constexpr char kCheckpoints[] = "checkpoints";  // has manifests of its own

/// The families of networks, each with the parts that have tests.
std::vector<Family> families() {
  return {
      {.name = "mmaudio",
       .parts = {mmaudio_clip_part(), mmaudio_synchformer_part(), mmaudio_tokenizer_part(),
                 mmaudio_frame_picking_part(), mmaudio_preprocess_part(), mmaudio_audio_part()},
       .is_complete = true},
      {.name = "cogvideox",
       .parts = {cogvideox_text(), cogvideox_transformer(), cogvideox_sampling(), cogvideox_lora(),
                 cogvideox_vae(), cogvideox_preprocess(), cogvideox_pipelines()},
       .is_complete = true},
      {.name = "hunyuan_foley", .parts = {}},
  };
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// Says of a family that no root holds that it was not tested.
void register_absence(const std::string& family, const std::vector<FixtureRoot>& roots) {
  const bool is_there = std::ranges::any_of(
      roots, [&](const FixtureRoot& root) { return is_folder(root.path / family); });
  if (!is_there)
    register_skip(
        family, "no_fixtures",
        "no root holds fixtures of the family " + family + "; name one in QINGYIN_FIXTURES");
}

void register_root(const FixtureRoot& root, const std::vector<Family>& families) {
  if (!is_folder(root.path))
    return register_skip("roots", root.path.string(),
                         root.path.string() + ", named by " + root.origin + ", is not there");
  bool has_family = is_folder(root.path / kCheckpoints);
  if (has_family) register_checkpoint_tests(root.path / kCheckpoints);
  for (const Family& family : families) {
    if (!is_folder(root.path / family.name)) continue;
    has_family = true;
    register_family(family, root.path / family.name);
  }
  register_case("roots", root.path.string(), [has_family, root] {
    EXPECT_TRUE(has_family) << root.path << ", named by " << root.origin
                            << ", holds no family of fixtures";
  });
}

}  // namespace
}  // namespace qingyin::test

int main(int argc, char** argv) {
  using namespace qingyin::test;
  testing::InitGoogleTest(&argc, argv);
  at::set_num_threads(1);  // the fixtures' networks are so small that more would only wait
  const std::vector<FixtureRoot> roots = fixture_roots();
  const std::vector<Family> known = families();
  for (const FixtureRoot& root : roots) register_root(root, known);
  register_absence(kCheckpoints, roots);
  for (const Family& family : known) register_absence(family.name, roots);
  return RUN_ALL_TESTS();
}
