#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>
#include <vector>

#include "core/media/frame_reader.h"
#include "understanding/understanding.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

fs::path clips_folder() {
  const char* shared = std::getenv("QINGYIN_SHARED");
  return fs::path(shared != nullptr ? shared : QINGYIN_SOURCE_DIR "/../shared") / "clips";
}

std::vector<double> onsets_of(const fs::path& clip) {
  const auto detector = make_motion_detector(
      {.network = fs::path(QINGYIN_SOURCE_DIR) / "models/bundled/detector.safetensors"});
  const auto frames = open_frames(clip, detector->request());
  std::vector<double> onsets;
  for (const SoundEvent& event : detector->describe(*frames).events)
    onsets.push_back(event.onset.count());
  return onsets;
}

// Hits and counted predictions by the rule of clips.json: nearest pair first, one to one; a
// prediction left over near a weak onset does not count.
std::pair<int, int> match(const std::vector<double>& found, const std::vector<double>& strong,
                          const std::vector<double>& weak, double tolerance) {
  std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < found.size(); ++i)
    for (std::size_t j = 0; j < strong.size(); ++j)
      if (std::abs(found[i] - strong[j]) <= tolerance + 1e-9)
        pairs.emplace_back(std::abs(found[i] - strong[j]), i, j);
  std::ranges::sort(pairs);
  std::vector<bool> used(found.size()), done(strong.size());
  int hits = 0;
  for (const auto& [distance, i, j] : pairs) {
    if (used[i] || done[j]) continue;
    used[i] = done[j] = true;
    ++hits;
  }
  int counted = hits;
  for (std::size_t i = 0; i < found.size(); ++i)
    if (!used[i] && std::ranges::none_of(
                        weak, [&](double w) { return std::abs(found[i] - w) <= tolerance + 1e-9; }))
      ++counted;
  return {hits, counted};
}

double f1(const std::vector<double>& found, const nlohmann::json& clip, double tolerance) {
  const auto strong = clip.at("onsets_strong_s").get<std::vector<double>>();
  const auto weak = clip.at("onsets_weak_s").get<std::vector<double>>();
  const auto [hits, counted] = match(found, strong, weak, tolerance);
  return hits == 0 ? 0 : 2.0 * hits / (counted + static_cast<double>(strong.size()));
}

// Where QINGYIN_ONSETS_OUT names a folder, the onsets are written there for score_onsets.py.
void keep(const std::string& name, const std::vector<double>& onsets) {
  const char* folder = std::getenv("QINGYIN_ONSETS_OUT");
  if (folder == nullptr) return;
  std::ofstream(fs::path(folder) / (name + ".json")) << nlohmann::json{{"onsets_s", onsets}};
}

TEST(DevelopmentClips, OnsetsAreWhereTheSoundHasThem) {
  const fs::path folder = clips_folder();
  std::ifstream file(folder / "clips.json");
  if (!file) GTEST_SKIP() << "no clips in " << folder << "; set QINGYIN_SHARED";
  const auto truth = nlohmann::json::parse(file);
  double tight = 0, wide = 0, false_events = 0, quiet_minutes = 0;
  int scored = 0;
  for (const auto& clip : truth.at("clips")) {
    const fs::path path = folder / clip.at("file").get<std::string>();
    const std::vector<double> found = onsets_of(path);
    keep(path.stem().string(), found);
    if (clip.at("grade") == "A") {
      tight += f1(found, clip, 0.05);
      wide += f1(found, clip, 0.1);
      ++scored;
    } else if (clip.at("grade") == "N") {
      const auto weak = clip.at("onsets_weak_s").get<std::vector<double>>();
      false_events += match(found, {}, weak, 0.05).second;
      quiet_minutes += clip.at("duration_s").get<double>() / 60;
    }
  }
  ASSERT_GT(scored, 0);
  RecordProperty("macro_f1_at_0.05_s", std::to_string(tight / scored));
  RecordProperty("macro_f1_at_0.1_s", std::to_string(wide / scored));
  EXPECT_GE(wide / scored, 0.78);
  EXPECT_GE(tight / scored, 0.58);
  EXPECT_LE(false_events / quiet_minutes, 20);
}

}  // namespace
}  // namespace qingyin::test
