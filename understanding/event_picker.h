#pragma once

#include <span>
#include <vector>

#include "understanding/event_roll.h"
#include "understanding/motion_sample.h"

namespace qingyin {

/// What made the picker believe in an event.
enum class EventCause {
  kStop,   // downward motion came to rest: a strike
  kStart,  // something that was at rest changed at once: a shot, a start, a burst
};

/// What the confidence of an event is computed from.
struct EventClues {
  double prominence = 0;   // height of the evidence above its surroundings; the window's high is 1
  double start_share = 0;  // [0, 1], how much starts count against stops in the window
  double clear = 1;        // the stop, as a multiple of the median within a second around
  double full = 0;         // how completely the motion came to rest, [0, 1]
  double growth = 1;       // the change, as a multiple of what it was just before
  double seen = 0;         // log-odds of the network's surest onset nearby; 0 without a network
};

/// An event found in the motion, not yet named.
struct PickedEvent {
  double time_s = 0;      // when it should be heard
  double end_s = 0;       // when the visible change is over, or a default decay
  double confidence = 0;  // [0, 1]
  double intensity = 0;   // [0, 1]
  double x = 0, y = 0;    // right and up, [-1, 1]
  EventCause cause = EventCause::kStop;
  double area = 0;      // share of the cells that took part, [0, 1]
  double brighter = 0;  // growth of the mean brightness at a start, grey levels
  EventClues clues{};
  OnsetKind kind = OnsetKind::kImpact;  // what the network calls it, where it is sure
};

/// The span that statistics are taken over, and the part of it that events are wanted from.
struct PickWindow {
  double begin_s = 0, end_s = 0;
  double from_s = 0, to_s = 0;
};

/// What the detector network says about a shot, or that there is no network.
struct NetworkView {
  bool is_there = false;
  std::span<const RollStep> steps{};  // in order of time
};

/// Finds events in the motion of one shot. The network, where there is one, has a say in how sure
/// an event is and in what it is called; it finds none by itself.
/// @param samples      in order of time, gapless
/// @param sensitivity  [0, 1]: more events, more false ones
std::vector<PickedEvent> pick_events(std::span<const MotionSample> samples,
                                     const PickWindow& window, double sensitivity,
                                     const NetworkView& network = {});

}  // namespace qingyin
