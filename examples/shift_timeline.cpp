// Moves every event of a timeline by some milliseconds. What the program does not know stays as it
// is.
//
//   shift_timeline clip.events.json +40 moved.events.json
#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "core/atomic_file.h"
#include "core/error.h"
#include "core/event_io.h"

int main(int argc, char** argv) {
  using namespace qingyin;
  if (argc != 4) {
    std::cerr << "usage: shift_timeline EVENTS MILLISECONDS OUT\n";
    return exit_code(ErrorCode::kUsage);
  }
  try {
    EventDocument document = read_events(argv[1]);
    EventTimeline& timeline = document.timeline;
    const Seconds shift(std::atof(argv[2]) / 1000);
    const auto inside = [&](Seconds time) {
      return std::clamp(time + shift, Seconds(0), timeline.clip.duration);
    };
    for (SoundEvent& event : timeline.events) {
      if (event.locked) continue;
      event.onset = inside(event.onset);
      event.offset = inside(event.offset);
    }
    std::ranges::stable_sort(timeline.events, {}, &SoundEvent::onset);
    write_file_atomically(argv[3], document.to_json(), Overwrite::kNo);
    return 0;
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return exit_code(error.code());
  }
}
