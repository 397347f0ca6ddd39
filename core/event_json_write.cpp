#include "core/event_io.h"
#include "core/event_json.h"
#include "core/event_rules.h"
#include "core/json_merge.h"

namespace qingyin {
namespace {

using When = JsonField::When;

When unless_default(bool is_default) { return is_default ? When::kDefault : When::kAlways; }
When unless_empty(bool is_empty) { return is_empty ? When::kEmpty : When::kAlways; }

JsonField text_field(std::string key, const std::string& text) {
  return {std::move(key), JsonDraft::string(text), unless_empty(text.empty())};
}

JsonField optional_field(std::string key, const std::optional<double>& value) {
  return {std::move(key), JsonDraft::number(value.value_or(0)),
          value ? When::kAlways : When::kRemoved};
}

JsonField number_field(std::string key, double value, double default_value) {
  return {std::move(key), JsonDraft::number(value), unless_default(value == default_value)};
}

JsonDraft draft_of(const TimelineClip& clip) {
  return JsonDraft::object(
      {text_field("path", clip.path),
       text_field("sha256", clip.sha256),
       {"duration_s", JsonDraft::number(clip.duration.count())},
       {"frame_rate", JsonDraft::frame_rate(clip.frame_rate),
        unless_default(clip.frame_rate == FrameRate{})},
       {"width", JsonDraft::number(clip.width), unless_default(clip.width == 0)},
       {"height", JsonDraft::number(clip.height), unless_default(clip.height == 0)},
       {"rotation_deg", JsonDraft::number(clip.rotation_deg),
        unless_default(clip.rotation_deg == 0)}});
}

JsonField labels_field(const std::vector<ScoredLabel>& labels) {
  std::vector<JsonDraft> items;
  for (const ScoredLabel& each : labels) {
    items.push_back(JsonDraft::object(
        {{"label", JsonDraft::string(each.label)}, {"score", JsonDraft::number(each.score)}}));
  }
  return {"labels", JsonDraft::array(std::move(items)), unless_empty(labels.empty())};
}

JsonDraft draft_of(const AmbienceLayer& layer) {
  const AmbienceLayer usual;
  return JsonDraft::object(
      {{"id", JsonDraft::string(layer.id)},
       {"label", JsonDraft::string(layer.label)},
       {"caption", JsonDraft::string(layer.caption), unless_empty(layer.caption.empty())},
       {"onset_s", JsonDraft::number(layer.onset.count())},
       {"offset_s", JsonDraft::number(layer.offset.count())},
       number_field("gain_db", layer.gain_db, usual.gain_db),
       {"seed", JsonDraft::number(layer.seed),
        unless_default(layer.seed == default_seed(layer.id))},
       {"locked", JsonDraft::boolean(layer.locked), unless_default(!layer.locked)},
       {"source", JsonDraft::string(layer.source), unless_default(layer.source == usual.source)},
       labels_field(layer.labels)});
}

JsonField position_field(const SoundEvent& event) {
  if (!event.position) return {"position", {}, When::kRemoved};
  return {"position", JsonDraft::array({JsonDraft::number((*event.position)[0]),
                                        JsonDraft::number((*event.position)[1])})};
}

JsonField envelope_field(const SoundEvent& event) {
  std::vector<JsonDraft> points;
  for (const EnvelopePoint& point : event.envelope) {
    points.push_back(
        JsonDraft::array({JsonDraft::number(point.time.count()), JsonDraft::number(point.level)}));
  }
  return {"envelope", JsonDraft::array(std::move(points)), unless_empty(event.envelope.empty())};
}

JsonDraft draft_of(const SoundEvent& event) {
  const SoundEvent usual;
  return JsonDraft::object(
      {{"id", JsonDraft::string(event.id)},
       {"label", JsonDraft::string(event.label)},
       text_field("material", event.material),
       optional_field("size", event.size),
       text_field("caption", event.caption),
       {"onset_s", JsonDraft::number(event.onset.count())},
       {"offset_s", JsonDraft::number(event.offset.count())},
       number_field("intensity", event.intensity, usual.intensity),
       position_field(event),
       optional_field("pan", event.pan),
       number_field("gain_db", event.gain_db, usual.gain_db),
       number_field("confidence", event.confidence, usual.confidence),
       {"lane", JsonDraft::string(event.lane), unless_default(event.lane == usual.lane)},
       {"source", JsonDraft::string(event.source), unless_default(event.source == usual.source)},
       {"seed", JsonDraft::number(event.seed),
        unless_default(event.seed == default_seed(event.id))},
       {"locked", JsonDraft::boolean(event.locked), unless_default(!event.locked)},
       envelope_field(event),
       labels_field(event.labels)});
}

JsonDraft draft_of(const MadeBy& made_by) {
  std::vector<JsonField> models;
  for (const auto& [name, hash] : made_by.models) models.push_back({name, JsonDraft::string(hash)});
  JsonDraft draft = JsonDraft::object(std::move(models));
  draft.is_closed = true;
  return JsonDraft::object({text_field("program", made_by.program),
                            text_field("version", made_by.version),
                            text_field("detector", made_by.detector),
                            {"models", std::move(draft), unless_empty(made_by.models.empty())}});
}

template <typename Sound>
JsonDraft draft_of(const std::vector<Sound>& sounds) {
  std::vector<JsonDraft> items;
  items.reserve(sounds.size());
  for (const Sound& sound : sounds) items.push_back(draft_of(sound));
  return JsonDraft::array(std::move(items));
}

JsonDraft draft_of(const EventTimeline& timeline) {
  std::vector<JsonDraft> times;
  for (const Seconds cut : timeline.cuts) times.push_back(JsonDraft::number(cut.count()));
  JsonDraft cuts = JsonDraft::array(std::move(times));
  cuts.sorted_on_reading = true;
  JsonDraft events = draft_of(timeline.events);
  events.sorted_on_reading = true;
  return JsonDraft::object(
      {{"schema", JsonDraft::string(std::string(kEventSchema))},
       {"clip", draft_of(timeline.clip),
        timeline.clip == TimelineClip{} ? When::kRemoved : When::kAlways},
       {"cuts_s", std::move(cuts), unless_default(timeline.cuts.empty())},
       {"ambience", draft_of(timeline.ambience), unless_default(timeline.ambience.empty())},
       {"events", std::move(events)},
       {"prompt", JsonDraft::string(timeline.prompt), unless_default(timeline.prompt.empty())},
       {"negative_prompt", JsonDraft::string(timeline.negative_prompt),
        unless_default(timeline.negative_prompt.empty())},
       {"made_by", draft_of(timeline.made_by), unless_empty(timeline.made_by == MadeBy{})}});
}

}  // namespace

std::string new_json(const EventTimeline& timeline) {
  std::string out = "{";
  for (const JsonField& field : draft_of(timeline).fields) {
    if (field.when == When::kRemoved || field.when == When::kEmpty) continue;
    out += (out.size() > 1 ? ",\n  " : "\n  ") + json_quoted(field.key) + ": ";
    const auto& items = field.value.items;
    if (items.empty() || items[0].kind != JsonKind::kObject) {
      out += one_line(field.value);
      continue;
    }
    for (std::size_t i = 0; i < items.size(); ++i) {
      out += (i == 0 ? "[\n    " : ",\n    ") + one_line(items[i]);
    }
    out += "\n  ]";
  }
  return out += "\n}\n";
}

std::string merged_json(const JsonText& original, const EventTimeline& timeline) {
  const JsonValue root = original.root();
  const std::string_view text = original.text();
  return std::string(text.substr(0, root.begin())) + merge(root, draft_of(timeline)) +
         std::string(text.substr(root.end()));
}

}  // namespace qingyin
