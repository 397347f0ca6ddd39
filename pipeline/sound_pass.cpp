#include "pipeline/sound_pass.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "pipeline/event_renderer.h"
#include "pipeline/level_stream.h"
#include "pipeline/wishes.h"
#include "sync/align.h"
#include "sync/mixer.h"
#include "sync/pan.h"

namespace qingyin {
namespace {

constexpr const char* kAmbience = "ambience";
constexpr const char* kOriginal = "original";
// A sound begins a little before its onset: it has to be in the mixer in time.
constexpr Seconds kAhead(0.1);

SoundEvent as_event(const AmbienceLayer& layer) {
  SoundEvent event;
  event.id = layer.id;
  event.label = layer.label;
  event.caption = layer.caption;
  event.onset = layer.onset;
  event.offset = layer.offset;
  event.lane = kAmbience;
  event.gain_db = layer.gain_db;
  event.seed = layer.seed;
  event.locked = layer.locked;
  event.source = layer.source;
  return event;
}

bool has_original(const SoundPass& pass) {
  return pass.original != nullptr && pass.original_mode != OriginalSound::kReplace;
}

bool goes_on(const SoundEvent& event, const LabelMatch& match) {
  return match.is_sustained && event.offset - event.onset > AudioGenerator::longest_event();
}

// One pass at work.
class Pass {
 public:
  explicit Pass(const SoundPass& pass)
      : pass_(pass),
        lanes_(effect_lanes()),
        mixer_(lanes_),
        original_(has_original(pass) ? pass.original_mode : OriginalSound::kReplace,
                  ducking_lanes()),
        renderer_(pass.engine, finite_events(), {pass.settings, pass.threads}) {
    add_streams();
  }

  PassFacts run(Mastering& mastering, const Progress& progress) {
    const std::int64_t total = samples_for(pass_.duration, kOutputRateHz);
    const std::int64_t window = samples_for(sound_window(), kOutputRateHz);
    for (std::int64_t at = 0; at < total; at += window) {
      const double fraction = static_cast<double>(at) / static_cast<double>(total);
      report(progress, "render", fraction);
      const std::int64_t end = std::min(at + window, total);
      add_sounds_before(
          Seconds(static_cast<double>(end) / kOutputRateHz) + kAhead,
          [&](std::string_view step, double) { return !progress || progress(step, fraction); });
      mastering.add(with_original(mixer_.take(end - at)));
    }
    mastering.add(original_.finish());
    return std::move(facts_);
  }

 private:
  std::vector<std::string> effect_lanes() const {
    auto lanes = lanes_of(pass_);
    if (has_original(pass_)) lanes.pop_back();
    return lanes;
  }

  std::size_t lane_of(const std::string& name) const {
    return static_cast<std::size_t>(std::find(lanes_.begin(), lanes_.end(), name) - lanes_.begin());
  }

  // A bed that never ends would keep the original down for ever.
  std::vector<std::size_t> ducking_lanes() const {
    std::vector<std::size_t> ducking(lanes_.size());
    std::iota(ducking.begin(), ducking.end(), std::size_t{0});
    std::erase(ducking, lane_of(kAmbience));
    return ducking;
  }

  std::vector<SoundEvent> finite_events() {
    std::vector<SoundEvent> events;
    for (const auto& event : pass_.timeline.events) {
      const auto match = pass_.engine.match(event);
      if (match && !goes_on(event, *match)) events.push_back(event);
    }
    return events;
  }

  void add_streams() {
    for (const auto& layer : pass_.timeline.ambience) {
      add_stream(as_event(layer), {Seconds(0.5), Seconds(1)}, "layer");
    }
    for (const auto& event : pass_.timeline.events) {
      const auto match = pass_.engine.match(event);
      if (match && goes_on(event, *match)) {
        add_stream(event, {Seconds(0.01), Seconds(0.15)}, "event");
      }
    }
  }

  void add_stream(const SoundEvent& event, std::pair<Seconds, Seconds> fades,
                  const std::string& kind) {
    const std::int64_t start = samples_for(event.onset, kOutputRateHz);
    const std::int64_t end = samples_for(event.offset, kOutputRateHz);
    if (end <= start) return;
    // A stream's level is that of intensity 0.5.
    const double level_db = kind == "layer" ? 0 : level_dbfs(event.intensity) - level_dbfs(0.5);
    auto stream = pass_.engine.open_stream(event, pass_.settings);
    if (!event.envelope.empty()) stream = follow_envelope(std::move(stream), event.envelope);
    mixer_.add_stream(
        {event.id, lane_of(event.lane), start, event.gain_db + level_db, pan_of(event)},
        std::move(stream), {end, fades.first, fades.second});
    note(event, kind, {});
  }

  void add_sounds_before(Seconds time, const Progress& progress) {
    while (!renderer_.is_done() && renderer_.upcoming().onset < time) {
      const SoundEvent event = renderer_.upcoming();
      const EventSound sound = renderer_.next(progress);
      const auto match = pass_.engine.match(event);
      Placement wanted{event.onset, {}};
      if (match && match->is_sustained && event.offset > event.onset) wanted.release = event.offset;
      PlacedSound placed = align(sound, wanted);
      note(event, "event", placed.onset);
      if (!placed.onset) facts_.warnings.push_back("event " + event.id + " came out silent");
      mixer_.add({event.id, lane_of(event.lane), placed.start, event.gain_db, pan_of(event)},
                 std::move(placed.samples));
    }
  }

  StemBlock with_original(StemBlock effects) {
    if (!has_original(pass_)) return effects;
    std::vector<float> own(static_cast<std::size_t>(2 * effects.length));
    pass_.original->read(own);
    return original_.push(std::move(effects), own);
  }

  void note(const SoundEvent& event, const std::string& kind, std::optional<Seconds> onset) {
    const auto match = pass_.engine.match(event).value_or(LabelMatch{});
    facts_.events.push_back({event.id, kind, match.label, match.material, match.is_exact,
                             event.lane, event.seed, event.onset, onset});
  }

  const SoundPass& pass_;
  const std::vector<std::string> lanes_;  // without the original
  Mixer mixer_;
  OriginalMixer original_;
  EventRenderer renderer_;
  PassFacts facts_;
};

}  // namespace

std::vector<std::string> lanes_of(const SoundPass& pass) {
  std::set<std::string> names;
  for (const auto& event : pass.timeline.events) names.insert(event.lane);
  if (!pass.timeline.ambience.empty()) names.insert(kAmbience);
  std::vector<std::string> lanes(names.begin(), names.end());
  if (has_original(pass)) lanes.push_back(kOriginal);
  return lanes;
}

void require_known_sounds(const AudioGenerator& engine, const EventTimeline& timeline) {
  std::string unknown;
  const auto check = [&](const SoundEvent& event) {
    if (engine.match(event)) return;
    unknown += (unknown.empty() ? "" : ", ") + event.id + " (" + excerpt(event.label) + ")";
  };
  for (const auto& event : timeline.events) check(event);
  for (const auto& layer : timeline.ambience) check(as_event(layer));
  if (unknown.empty()) return;
  throw Error(ErrorCode::kInvalidInput,
              "the engine '" + engine.info().name + "' has no sound for " + unknown +
                  "; change these labels to what it knows: " + known_words(),
              "unknown_sound");
}

PassFacts run(const SoundPass& pass, Mastering& mastering, const Progress& progress) {
  std::vector<SoundEvent> all = pass.timeline.events;
  for (const auto& layer : pass.timeline.ambience) all.push_back(as_event(layer));
  pass.engine.prepare(all, pass.settings, progress);
  return Pass(pass).run(mastering, progress);
}

}  // namespace qingyin
