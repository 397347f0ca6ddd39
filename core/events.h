#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/time.h"

namespace qingyin {

/// One point of an event's level curve: `time` from the onset, `level` in [0, 1].
struct EnvelopePoint {
  Seconds time;
  double level;

  bool operator==(const EnvelopePoint&) const = default;
};

/// A name that a recogniser thought of for something, and how sure it was.
struct ScoredLabel {
  std::string label;
  double score;  // [0, 1], of all names that it chose from

  bool operator==(const ScoredLabel&) const = default;
};

/// Something that should be heard, on the clip's own clock (0 = first frame shown).
/// The rule of every field: docs/events.md.
struct SoundEvent {
  std::string id;
  std::string label;           // what sounds: a class name or free text
  std::string material;        // empty: unknown
  std::optional<double> size;  // 0 small to 1 large
  std::string caption;
  Seconds onset{0};
  Seconds offset{0};
  double intensity = 0.5;                         // [0, 1]
  std::optional<std::array<double, 2>> position;  // x right, y up, each in [-1, 1]
  std::optional<double> pan;                      // [-1, 1]; none: follows the position
  double gain_db = 0;
  double confidence = 1;  // [0, 1]
  std::string lane = "foley";
  std::string source = "user";
  std::uint64_t seed = 0;
  bool locked = false;
  std::vector<EnvelopePoint> envelope;   // empty: none
  std::vector<ScoredLabel> labels = {};  // what it may be, the likeliest first; empty: not asked

  bool operator==(const SoundEvent&) const = default;
};

/// A bed that lasts: room tone, rain, an engine far away.
struct AmbienceLayer {
  std::string id;
  std::string label;
  std::string caption;
  Seconds onset{0};
  Seconds offset{0};
  double gain_db = 0;
  std::uint64_t seed = 0;
  bool locked = false;
  std::string source = "user";
  std::vector<ScoredLabel> labels = {};  // as an event's

  bool operator==(const AmbienceLayer&) const = default;
};

/// Facts about the clip that a timeline belongs to.
struct TimelineClip {
  std::string path;
  std::string sha256;  // of the file's bytes, hexadecimal; empty: unknown
  Seconds duration{0};
  FrameRate frame_rate;
  std::int64_t width = 0, height = 0;  // upright, in pixels
  int rotation_deg = 0;

  bool operator==(const TimelineClip&) const = default;
};

/// Who wrote a timeline.
struct MadeBy {
  std::string program, version, detector;
  std::map<std::string, std::string> models;  // name -> "sha256..."

  bool operator==(const MadeBy&) const = default;
};

/// What should be heard in a clip, and when: the hub of the product. A detector writes it, a
/// person edits it, an engine renders it.
struct EventTimeline {
  TimelineClip clip;
  std::vector<Seconds> cuts;
  std::vector<AmbienceLayer> ambience;
  std::vector<SoundEvent> events;  // sorted by onset
  std::string prompt, negative_prompt;
  MadeBy made_by;

  bool operator==(const EventTimeline&) const = default;
};

}  // namespace qingyin
