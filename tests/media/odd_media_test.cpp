#include <algorithm>

#include "core/media/muxer.h"
#include "tests/media/media_test.h"
#include "tests/media/odd_files.h"

namespace qingyin::test {
namespace {

class OddMediaTest : public MediaTest {};

struct Outcome {
  std::string kind;  // a word of the manifest
  std::string detail;
};

// Probe, every frame, and a copy with silence that decodes to the exact length (the muxer checks).
Outcome outcome_of(const fs::path& path, const fs::path& folder) {
  try {
    const ClipInfo clip = probe(path);
    std::size_t warnings = clip.warnings.size();
    const auto reader = open_frames(clip, {.longest_side = 64, .color = FrameColor::kGrey});
    while (reader->next()) {
    }
    warnings += reader->warnings().size();
    const auto muxer =
        open_muxer(clip, {.target = target_for(clip, folder), .overwrite = Overwrite::kYes});
    std::vector<float> silence(2 * 4800);
    for (std::int64_t left = muxer->length(); left > 0; left -= 4800) {
      const auto count = static_cast<std::size_t>(std::min<std::int64_t>(left, 4800));
      muxer->write(std::span(silence).first(2 * count));
    }
    muxer->finish();
    return {warnings ? "ok_with_warnings" : "ok", clip.warnings.empty() ? "" : clip.warnings[0]};
  } catch (const Error& error) {
    return {error.code() == ErrorCode::kInvalidInput ? "refuse" : "failed", error.what()};
  }
}

// Of each folder that is asked for; with the sanitizers where the tests have them.
TEST_F(OddMediaTest, TreatsEveryFileAsItsManifestSays) {
  const auto folders = odd_folders();
  if (folders.empty()) GTEST_SKIP() << "there is no collection of odd media beside the sources";
  std::size_t seen = 0;
  for (const auto& collection : folders) {
    for (const auto& file : odd_files(collection)) {
      const Outcome outcome = outcome_of(file.path, folder());
      EXPECT_TRUE(file.may_end(outcome.kind))
          << file.name() << ": " << outcome.kind << " instead of " << file.entry.at("expected")
          << "; " << outcome.detail;
      ++seen;
    }
  }
  EXPECT_GT(seen, 0U);
  for (const auto& left : fs::directory_iterator(folder())) {
    EXPECT_NE(left.path().extension(), ".part") << left.path();
  }
}

}  // namespace
}  // namespace qingyin::test
