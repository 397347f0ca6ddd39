// motion_clues OUT WEIGHTS CLIP...: writes OUT/<clip>.json with every event that the picker
// considers, the clues to it, and all that the detector network says, for leave_one_out.py.
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "understanding/event_roll.h"
#include "understanding/motion_stream.h"
#include "understanding/shot_tracker.h"
#include "understanding/sustained_finder.h"

namespace {

using namespace qingyin;
using nlohmann::json;

json clues_of(const PickedEvent& e) {
  return {{"time_s", e.time_s},
          {"confidence", e.confidence},
          {"strike", e.cause == EventCause::kStop},
          {"prominence", e.clues.prominence},
          {"start_share", e.clues.start_share},
          {"clear", e.clues.clear},
          {"full", e.clues.full},
          {"growth", e.clues.growth},
          {"area", e.area},
          {"brighter", e.brighter},
          {"seen", e.clues.seen}};
}

json clues_of(const RollStep& step) {
  return {{"start_s", step.start_s},   {"end_s", step.end_s},    {"onset", step.onset},
          {"onset_s", step.onset_s},   {"kinds", step.kinds},    {"intensity", step.intensity},
          {"place", {step.x, step.y}}, {"lasting", step.lasting}};
}

json clues_of(const RollNetwork& network, const std::filesystem::path& clip) {
  const FrameRequest request{
      .rate = {}, .longest_side = MotionStream::kLongestSide, .color = FrameColor::kGrey};
  const auto frames = open_frames(clip, request);
  MotionStream stream(1, Measure::kSamplesAndMaps);
  ShotTracker tracker(1.0, true);
  SustainedFinder sustained;
  RollStream roll(network);
  json clues{{"events", json::array()}, {"roll", json::array()}, {"lasting", json::array()}};
  const auto read_roll = [&] {
    const std::vector<RollStep> steps = roll.take();
    for (const RollStep& step : steps) clues["roll"].push_back(clues_of(step));
    tracker.add(steps);
  };
  const auto follow = [&](const std::vector<MotionItem>& items) {
    for (const MotionItem& item : items) {
      if (const auto* sample = std::get_if<MotionSample>(&item)) {
        tracker.add(*sample);
        sustained.add(*sample);
      } else if (const auto* map = std::get_if<MotionMap>(&item)) {
        roll.add(*map);
        read_roll();
      } else {
        roll.end_shot();
        read_roll();
        tracker.end_shot(std::get<SceneCut>(item).time_s);
        sustained.end_shot();
      }
    }
  };
  while (const auto frame = frames->next()) follow(stream.push(*frame));
  follow(stream.finish());
  roll.end_shot();
  read_roll();
  tracker.end_shot(frames->clip().duration.count());
  sustained.end_shot();
  for (const PickedEvent& event : tracker.take()) clues["events"].push_back(clues_of(event));
  for (const SustainedMotion& motion : sustained.found())
    clues["lasting"].push_back(
        {{"begin_s", motion.begin_s}, {"end_s", motion.end_s}, {"travel", motion.travel}});
  return clues;
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) {
    std::cerr << "usage: motion_clues OUT WEIGHTS CLIP...\n";
    return 2;
  }
  try {
    const std::filesystem::path out = words[1];
    std::filesystem::create_directories(out);
    const RollNetwork network(words[2]);
    for (int i = 3; i < count; ++i) {
      const std::filesystem::path clip = words[i];
      std::ofstream(out / clip.stem().concat(".json")) << clues_of(network, clip) << "\n";
    }
  } catch (const std::exception& error) {
    std::cerr << "motion_clues: " << error.what() << "\n";
    return 1;
  }
}
