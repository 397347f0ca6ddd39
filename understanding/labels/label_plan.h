#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/events.h"
#include "understanding/labels/label_set.h"

namespace qingyin {

/// A square of a picture in pixels.
struct SquareCut {
  std::int64_t left, top, side;

  bool operator==(const SquareCut&) const = default;
};

/// One look at a clip: the picture shown at a time, whole or what is near a place in it.
struct Glance {
  Seconds time{0};
  std::optional<std::array<double, 2>> place;  // as SoundEvent::position; none: the whole picture

  bool operator==(const Glance&) const = default;
};

/// The square around a place: three fifths of the shorter side, moved into the picture.
SquareCut square_around(const std::array<double, 2>& place, std::int64_t width,
                        std::int64_t height);

/// What is named together, and from which glances.
struct LabelTarget {
  LabelKind kind;
  std::vector<std::size_t> events;   // indices in the timeline; none: an ambience
  Seconds begin{0}, end{0};          // of an ambience
  std::vector<std::size_t> glances;  // indices in the plan
};

struct LabelPlan {
  std::vector<Glance> glances;  // in order of time
  std::vector<LabelTarget> targets;
  std::size_t unseen = 0;  // targets that no glance was left for, not among `targets`
};

struct LabelLimits {
  std::size_t most_glances = 24;  // encoding one is the cost of it all
  bool wants_ambience = true;
};

/// Which pictures are looked at to name what sounds. Events of one shot and kind that follow each
/// other at one place are the same thing, and are named together: from up to three of them, each
/// from the square around its position and from the whole picture. The ambience of a shot is named
/// from three whole pictures spread over it. Where the limit does not reach, every target gets its
/// first glances before any gets more. Locked events and those of a person are left alone.
LabelPlan plan_labels(const EventTimeline& timeline, const LabelLimits& limits);

}  // namespace qingyin
