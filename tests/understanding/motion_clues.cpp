// motion_clues OUT CLIP...: writes OUT/<clip>.json with every event that the picker considers and
// the clues to it, for leave_one_out.py.
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "understanding/motion_stream.h"
#include "understanding/shot_tracker.h"

namespace {

using namespace qingyin;
using nlohmann::json;

json clues_of(const std::filesystem::path& clip) {
  const FrameRequest request{
      .rate = {}, .longest_side = MotionStream::kLongestSide, .color = FrameColor::kGrey};
  const auto frames = open_frames(clip, request);
  MotionStream stream(1);
  ShotTracker tracker(1.0);
  const auto follow = [&](const std::vector<MotionItem>& items) {
    for (const MotionItem& item : items) {
      if (const auto* sample = std::get_if<MotionSample>(&item))
        tracker.add(*sample);
      else
        tracker.end_shot(std::get<SceneCut>(item).time_s);
    }
  };
  while (const auto frame = frames->next()) follow(stream.push(*frame));
  follow(stream.finish());
  tracker.end_shot(frames->clip().duration.count());
  json events = json::array();
  for (const PickedEvent& e : tracker.take())
    events.push_back({{"time_s", e.time_s},
                      {"confidence", e.confidence},
                      {"prominence", e.clues.prominence},
                      {"start_share", e.clues.start_share},
                      {"clear", e.clues.clear},
                      {"full", e.clues.full},
                      {"growth", e.clues.growth}});
  return events;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) {
    std::cerr << "usage: motion_clues OUT CLIP...\n";
    return 2;
  }
  try {
    const std::filesystem::path out = words[1];
    std::filesystem::create_directories(out);
    for (int i = 2; i < count; ++i) {
      const std::filesystem::path clip = words[i];
      std::ofstream(out / clip.stem().concat(".json")) << clues_of(clip) << "\n";
    }
  } catch (const std::exception& error) {
    std::cerr << "motion_clues: " << error.what() << "\n";
    return 1;
  }
}
