#include "core/event_rules.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/event_io.h"
#include "core/json_text.h"
#include "core/philox.h"
#include "core/text.h"

namespace qingyin {
namespace {

constexpr Seconds kLongest{1e7};
constexpr double kMaxGainDb = 200;
constexpr std::int64_t kMaxPixels = 1'000'000;

void check_range(double value, double low, double high, const std::string& field,
                 const FaultReport& report) {
  if (std::isfinite(value) && value >= low && value <= high) return;
  report(field, "expected a number from " + json_number(low) + " to " + json_number(high) +
                    ", found " + (std::isfinite(value) ? json_number(value) : "no finite number"));
}

void check_text(const std::string& text, const std::string& field, const FaultReport& report) {
  if (!is_utf8(text)) report(field, "is not UTF-8: " + excerpt(text));
}

void check_name(const std::string& text, const std::string& field, const FaultReport& report) {
  if (text.empty()) report(field, "is empty; expected a name");
  check_text(text, field, report);
}

void check_time(Seconds time, Seconds end, const std::string& field, const FaultReport& report) {
  if (!std::isfinite(time.count()) || time.count() < 0) {
    report(field, "expected a time from 0.0 on, found " + (std::isfinite(time.count())
                                                               ? json_number(time.count())
                                                               : std::string("no finite number")));
  } else if (time > end) {
    report(field,
           json_number(time.count()) + " lies past the clip's end at " + json_number(end.count()));
  }
}

void check_span(Seconds onset, Seconds offset, Seconds end, const FaultReport& report) {
  check_time(onset, end, "onset_s", report);
  check_time(offset, end, "offset_s", report);
  if (offset < onset) {
    report("offset_s",
           json_number(offset.count()) + " lies before the onset at " + json_number(onset.count()));
  }
}

void check_id(const std::string& id, const FaultReport& report) {
  if (is_event_id(id)) return;
  report("id", "expected 1 to 64 characters of A-Z a-z 0-9 _ . -, found " + excerpt(id));
}

void check_envelope(const std::vector<EnvelopePoint>& envelope, const FaultReport& report) {
  double last = 0;
  for (std::size_t i = 0; i < envelope.size(); ++i) {
    const double time = envelope[i].time.count(), level = envelope[i].level;
    const bool is_fine = time >= last && time <= kLongest.count() && level >= 0 && level <= 1;
    if (is_fine) {
      last = time;
      continue;
    }
    const std::string field = "envelope/" + std::to_string(i);
    check_range(time, 0, kLongest.count(), field + "/0", report);
    check_range(level, 0, 1, field + "/1", report);
    if (time < last) {
      report(field + "/0", json_number(time) + " lies before the point at " + json_number(last));
    }
    if (time > last && time <= kLongest.count()) last = time;
  }
}

void check_labels(const std::vector<ScoredLabel>& labels, const FaultReport& report) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string field = "labels/" + std::to_string(i);
    check_name(labels[i].label, field + "/label", report);
    check_range(labels[i].score, 0, 1, field + "/score", report);
  }
}

void check_made_by(const MadeBy& made_by, const FaultReport& report) {
  check_text(made_by.program, "program", report);
  check_text(made_by.version, "version", report);
  check_text(made_by.detector, "detector", report);
  for (const auto& [name, hash] : made_by.models) {
    if (!is_utf8(name) || !is_utf8(hash)) report("models", "is not UTF-8: " + excerpt(name));
  }
}

}  // namespace

void Faults::add(const std::string& place, const std::string& fault) {
  if (!places_.insert(place).second) return;
  ++count_;
  if (lines_.size() < most_kept_) lines_.push_back(place + ": " + fault);
}

void Faults::throw_if_any(const std::string& name) const {
  if (count_ == 0) return;
  std::string message = name + ": breaks the rules of " + std::string(kEventSchema) + " in " +
                        std::to_string(count_) + (count_ == 1 ? " place" : " places") +
                        "; nothing was taken from it. Correct:";
  for (const std::string& line : lines_) message += "\n  " + line;
  if (count_ > lines_.size()) {
    message += "\n  and " + std::to_string(count_ - lines_.size()) + " more";
  }
  throw Error(ErrorCode::kInvalidInput, message, "broken_rule");
}

Seconds end_of(const TimelineClip& clip) {
  const bool is_known = clip.duration > Seconds(0) && clip.duration <= kLongest;
  return is_known ? clip.duration : kLongest;
}

void check_clip(const TimelineClip& clip, const FaultReport& report) {
  if (clip == TimelineClip{}) return;
  const double duration = clip.duration.count();
  if (!(duration > 0)) {
    report("duration_s",
           "expected a time above 0.0, found " +
               (std::isfinite(duration) ? json_number(duration) : std::string("no finite number")));
  }
  check_range(duration, 0, kLongest.count(), "duration_s", report);
  check_text(clip.path, "path", report);
  check_text(clip.sha256, "sha256", report);
  if (clip.frame_rate.num < 0 || clip.frame_rate.den < 1) {
    report("frame_rate", "expected a fraction such as 30000/1001 (0/1: variable), found " +
                             to_string(clip.frame_rate));
  }
  const auto check_size = [&](std::int64_t pixels, const std::string& field) {
    if (pixels < 0 || pixels > kMaxPixels) {
      report(field, "expected 0 to 1000000 pixels, found " + std::to_string(pixels));
    }
  };
  check_size(clip.width, "width");
  check_size(clip.height, "height");
  if (clip.rotation_deg < -360 || clip.rotation_deg > 360) {
    report("rotation_deg",
           "expected -360 to 360 degrees, found " + std::to_string(clip.rotation_deg));
  }
}

void check_cuts(const std::vector<Seconds>& cuts, Seconds end, const FaultReport& report) {
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    if (cuts[i] >= Seconds(0) && cuts[i] <= end) continue;
    check_time(cuts[i], end, std::to_string(i), report);
  }
}

void check_layer(const AmbienceLayer& layer, Seconds end, const FaultReport& report) {
  check_id(layer.id, report);
  check_span(layer.onset, layer.offset, end, report);
  check_text(layer.label, "label", report);
  check_text(layer.caption, "caption", report);
  check_range(layer.gain_db, -kMaxGainDb, kMaxGainDb, "gain_db", report);
  check_name(layer.source, "source", report);
  check_labels(layer.labels, report);
}

void check_event(const SoundEvent& event, Seconds end, const FaultReport& report) {
  check_id(event.id, report);
  check_span(event.onset, event.offset, end, report);
  check_text(event.label, "label", report);
  check_text(event.material, "material", report);
  check_text(event.caption, "caption", report);
  if (event.size) check_range(*event.size, 0, 1, "size", report);
  check_range(event.intensity, 0, 1, "intensity", report);
  if (event.position) {
    check_range((*event.position)[0], -1, 1, "position/0", report);
    check_range((*event.position)[1], -1, 1, "position/1", report);
  }
  if (event.pan) check_range(*event.pan, -1, 1, "pan", report);
  check_range(event.gain_db, -kMaxGainDb, kMaxGainDb, "gain_db", report);
  check_range(event.confidence, 0, 1, "confidence", report);
  check_name(event.lane, "lane", report);
  check_name(event.source, "source", report);
  check_envelope(event.envelope, report);
  check_labels(event.labels, report);
}

void check_count(std::size_t events, const FaultReport& report) {
  if (events <= kMaxEvents) return;
  report("events", "has " + std::to_string(events) + " entries; at most " +
                       std::to_string(kMaxEvents) + " are read");
}

bool is_event_id(std::string_view id) {
  constexpr std::size_t kLongestId = 64;
  return !id.empty() && id.size() <= kLongestId && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
}

void IdRegister::add(const std::string& id, const std::string& place, const FaultReport& report) {
  if (!is_event_id(id)) return;
  const auto [found, is_new] = places_.emplace(id, place);
  if (!is_new) report("id", excerpt(id) + " is already the id at " + found->second);
}

std::uint64_t default_seed(std::string_view id) {
  constexpr unsigned kBitsAboveDouble = 11;
  return derive_seed(0, id) >> kBitsAboveDouble;
}

std::vector<std::string> problems(const EventTimeline& timeline) {
  Faults faults(kMaxEvents);
  const auto under = [&faults](const std::string& pointer) {
    return [&faults, pointer](const std::string& field, const std::string& fault) {
      faults.add(pointer + "/" + field, fault);
    };
  };
  const Seconds end = end_of(timeline.clip);
  check_clip(timeline.clip, under("/clip"));
  check_cuts(timeline.cuts, end, under("/cuts_s"));
  IdRegister ids;
  for (std::size_t i = 0; i < timeline.ambience.size(); ++i) {
    const std::string pointer = "/ambience/" + std::to_string(i);
    const FaultReport report = under(pointer);
    check_layer(timeline.ambience[i], end, report);
    ids.add(timeline.ambience[i].id, pointer, report);
  }
  check_count(timeline.events.size(), under(""));
  for (std::size_t i = 0; i < timeline.events.size(); ++i) {
    const std::string pointer = "/events/" + std::to_string(i);
    const FaultReport report = under(pointer);
    check_event(timeline.events[i], end, report);
    ids.add(timeline.events[i].id, pointer, report);
  }
  check_text(timeline.prompt, "prompt", under(""));
  check_text(timeline.negative_prompt, "negative_prompt", under(""));
  check_made_by(timeline.made_by, under("/made_by"));
  return faults.lines();
}

}  // namespace qingyin
