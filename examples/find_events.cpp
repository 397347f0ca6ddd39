// Prints what the picture of a clip says should be heard, one event a line.
//
//   find_events clip.mp4
#include <cstdio>
#include <iostream>

#include "core/error.h"
#include "understanding/understanding.h"

int main(int argc, char** argv) {
  using namespace qingyin;
  if (argc != 2) {
    std::cerr << "usage: find_events CLIP\n";
    return exit_code(ErrorCode::kUsage);
  }
  try {
    const auto detector = make_motion_detector();
    const auto frames = open_frames(argv[1], detector->request());
    const EventTimeline timeline = detector->describe(*frames);
    for (const SoundEvent& event : timeline.events)
      std::printf("%8.3f s  %-10s intensity %.2f  confidence %.2f\n", event.onset.count(),
                  event.label.c_str(), event.intensity, event.confidence);
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return exit_code(error.code());
  }
}
