#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/media/muxer.h"
#include "tests/media/media_test.h"

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

bool is_acceptable(const nlohmann::json& entry, const std::string& kind) {
  const std::string expected = entry.at("expected");
  // More warnings than ffmpeg gives are no fault; fewer are.
  if (kind == expected || (expected == "ok" && kind == "ok_with_warnings")) return true;
  const auto also = entry.value("also_acceptable", nlohmann::json::array());
  if (also.is_string()) return also.get<std::string>().find(kind) != std::string::npos;
  return std::find(also.begin(), also.end(), kind) != also.end();
}

TEST_F(OddMediaTest, TreatsEveryCollectedFileAsItsManifestSays) {
  const char* shared = std::getenv("QINGYIN_SHARED");
  const fs::path collection =
      (shared ? fs::path(shared) : fs::path(QINGYIN_SOURCE_DIR) / ".." / "shared") / "media_odd";
  std::ifstream file(collection / "manifest.json");
  if (!file) GTEST_SKIP() << collection << " is not there";
  const auto manifest = nlohmann::json::parse(file);
  std::size_t seen = 0;
  for (const auto& entry : manifest.at("files")) {
    const std::string name = entry.at("file");
    const Outcome outcome = outcome_of(collection / name, folder());
    EXPECT_TRUE(is_acceptable(entry, outcome.kind))
        << name << ": " << outcome.kind << " instead of " << entry.at("expected") << "; "
        << outcome.detail;
    ++seen;
  }
  EXPECT_GT(seen, 0U);
  for (const auto& left : fs::directory_iterator(folder())) {
    EXPECT_NE(left.path().extension(), ".part") << left.path();
  }
}

}  // namespace
}  // namespace qingyin::test
