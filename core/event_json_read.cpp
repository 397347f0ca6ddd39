#include <algorithm>
#include <limits>

#include "core/error.h"
#include "core/event_io.h"
#include "core/event_json.h"
#include "core/event_rules.h"
#include "core/text.h"

namespace qingyin {
namespace {

// One token of a JSON pointer (RFC 6901), safe to print.
std::string pointer_token(const JsonValue& key) {
  std::string out;
  for (const char c : key.as_string().substr(0, 64)) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return printable(out);
}

// The fields of one object. A fault is reported under the object's pointer and leaves the target
// as it was; an absent field too, unless it is needed.
class Fields {
 public:
  Fields(const JsonValue& object, std::string pointer, Faults& faults)
      : object_(object), pointer_(std::move(pointer)), faults_(faults) {
    if (!object_.is(JsonKind::kObject)) {
      faults_.add(pointer_, "expected an object, found " + describe(object_));
    }
  }

  const std::string& pointer() const { return pointer_; }
  bool has(std::string_view key) const { return object_.find(key).has_value(); }
  void fault(const std::string& field, const std::string& what) const {
    faults_.add(pointer_ + "/" + field, what);
  }
  FaultReport report() const {
    return [this](const std::string& field, const std::string& what) { fault(field, what); };
  }

  void need(const std::string& key) const {
    if (object_.is(JsonKind::kObject) && !has(key)) fault(key, "is missing");
  }

  std::optional<JsonValue> get(const std::string& key, JsonKind kind) const {
    const auto value = object_.find(key);
    if (!value || value->is(kind)) return value;
    fault(key, "expected " + std::string(name_of(kind)) + ", found " + describe(*value));
    return {};
  }

  void read(const std::string& key, std::string& to) const {
    if (const auto value = get(key, JsonKind::kString)) to = value->as_string();
  }
  void read(const std::string& key, bool& to) const {
    if (const auto value = get(key, JsonKind::kBool)) to = value->as_bool();
  }
  void read(const std::string& key, double& to) const {
    if (const auto value = get(key, JsonKind::kNumber)) number(*value, key, to);
  }
  void read(const std::string& key, Seconds& to) const {
    double seconds = to.count();
    read(key, seconds);
    to = Seconds(seconds);
  }
  void read(const std::string& key, std::optional<double>& to) const {
    double number = 0;
    read(key, number);
    if (has(key)) to = number;
  }
  void read(const std::string& key, std::uint64_t& to) const {
    const auto value = get(key, JsonKind::kNumber);
    if (!value) return;
    if (const auto whole = value->as_unsigned()) {
      to = *whole;
    } else {
      fault(key,
            "expected a whole number from 0 to 18446744073709551615, found " + describe(*value));
    }
  }
  void read(const std::string& key, std::int64_t& to) const {
    const auto value = get(key, JsonKind::kNumber);
    if (!value) return;
    if (const auto whole = value->as_signed()) {
      to = *whole;
    } else {
      fault(key, "expected a whole number, found " + describe(*value));
    }
  }
  void read(const std::string& key, FrameRate& to) const {
    const auto value = get(key, JsonKind::kString);
    if (!value) return;
    try {
      to = parse_frame_rate(value->as_string());
    } catch (const Error&) {
      fault(key, "expected a fraction such as \"30000/1001\" (\"0/1\": variable), found " +
                     describe(*value));
    }
  }
  void read(const std::string& key, std::map<std::string, std::string>& to) const {
    const auto value = get(key, JsonKind::kObject);
    if (!value) return;
    for (const auto& [name, text] : value->members()) {
      if (text.is(JsonKind::kString)) {
        to.emplace(name.as_string(), text.as_string());
      } else {
        fault(key + "/" + pointer_token(name), "expected a string, found " + describe(text));
      }
    }
  }
  void read(const std::string& key, std::optional<std::array<double, 2>>& to) const {
    const auto value = get(key, JsonKind::kArray);
    if (value) to.emplace();
    if (value) pair(*value, key, (*to)[0], (*to)[1]);
  }
  void read(const std::string& key, std::vector<EnvelopePoint>& to) const {
    const auto value = get(key, JsonKind::kArray);
    if (!value) return;
    for (const JsonValue& point : value->items()) {
      // A point with a fault stands where the last one stood, so that it causes no second fault.
      double time = to.empty() ? 0 : to.back().time.count(), level = 0;
      pair(point, key + "/" + std::to_string(to.size()), time, level);
      to.push_back({Seconds(time), level});
    }
  }
  void read(const std::string& key, std::vector<ScoredLabel>& to) const {
    const auto value = get(key, JsonKind::kArray);
    if (!value) return;
    for (const JsonValue& item : value->items()) {
      const Fields fields(item, pointer_ + "/" + key + "/" + std::to_string(to.size()), faults_);
      // One with a fault gets a name, so that it causes no second fault.
      ScoredLabel read{"?", 0};
      for (const char* name : {"label", "score"}) fields.need(name);
      fields.read("label", read.label);
      fields.read("score", read.score);
      to.push_back(std::move(read));
    }
  }
  void read(const std::string& key, std::vector<Seconds>& to) const {
    const auto value = get(key, JsonKind::kArray);
    if (!value) return;
    for (const JsonValue& item : value->items()) {
      double seconds = 0;
      number(item, key + "/" + std::to_string(to.size()), seconds);
      to.emplace_back(seconds);
    }
  }

 private:
  static std::string describe(const JsonValue& value) {
    const std::string kind(name_of(value.kind()));
    if (value.is(JsonKind::kString)) return "the string " + excerpt(value.as_string());
    if (value.is(JsonKind::kNumber)) return std::string(value.spelling().substr(0, 40));
    if (value.is(JsonKind::kBool)) return std::string(value.spelling());
    return kind;
  }

  void number(const JsonValue& value, const std::string& field, double& to) const {
    if (const auto number = value.as_double()) {
      to = *number;
    } else {
      fault(field, value.is(JsonKind::kNumber)
                       ? describe(value) + " lies outside what a 64-bit float holds"
                       : "expected a number, found " + describe(value));
    }
  }

  void pair(const JsonValue& value, const std::string& field, double& first, double& second) const {
    const auto items = value.items();
    if (items.size() != 2) {
      fault(field, "expected an array of two numbers, found " + describe(value) +
                       (value.is(JsonKind::kArray) ? " of " + std::to_string(items.size()) : ""));
      return;
    }
    number(items[0], field + "/0", first);
    number(items[1], field + "/1", second);
  }

  JsonValue object_;
  std::string pointer_;
  Faults& faults_;
};

TimelineClip read_clip(const Fields& fields) {
  TimelineClip clip;
  std::int64_t rotation = 0;
  fields.need("duration_s");
  fields.read("path", clip.path);
  fields.read("sha256", clip.sha256);
  fields.read("duration_s", clip.duration);
  fields.read("frame_rate", clip.frame_rate);
  fields.read("width", clip.width);
  fields.read("height", clip.height);
  fields.read("rotation_deg", rotation);
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  clip.rotation_deg = static_cast<int>(std::clamp(rotation, -kMost, kMost));
  return clip;
}

// What events and ambience layers have in common.
template <typename Sound>
void read_common(const Fields& fields, Sound& sound) {
  for (const char* key : {"id", "label", "onset_s", "offset_s"}) fields.need(key);
  fields.read("id", sound.id);
  fields.read("label", sound.label);
  fields.read("caption", sound.caption);
  fields.read("onset_s", sound.onset);
  sound.offset = sound.onset;
  fields.read("offset_s", sound.offset);
  fields.read("gain_db", sound.gain_db);
  sound.seed = default_seed(sound.id);
  fields.read("seed", sound.seed);
  fields.read("locked", sound.locked);
  fields.read("source", sound.source);
  fields.read("labels", sound.labels);
}

AmbienceLayer read_layer(const Fields& fields) {
  AmbienceLayer layer;
  read_common(fields, layer);
  return layer;
}

SoundEvent read_event(const Fields& fields) {
  SoundEvent event;
  read_common(fields, event);
  fields.read("material", event.material);
  fields.read("size", event.size);
  fields.read("intensity", event.intensity);
  fields.read("position", event.position);
  fields.read("pan", event.pan);
  fields.read("confidence", event.confidence);
  fields.read("lane", event.lane);
  fields.read("envelope", event.envelope);
  return event;
}

// Reads and checks the elements of one array of objects.
template <typename Sound, typename Read, typename Check>
std::vector<Sound> read_list(const Fields& root, const std::string& key, const std::string& name,
                             Faults& faults, IdRegister& ids, Read read, Check check) {
  std::vector<Sound> out;
  const auto list = root.get(key, JsonKind::kArray);
  if (!list) return out;
  const auto items = list->items();
  check_count(items.size(), [&](const std::string&, const std::string& fault) {
    throw Error(ErrorCode::kInvalidInput, name + ": /" + key + ": " + fault, "limit");
  });
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Fields fields(items[i], "/" + key + "/" + std::to_string(i), faults);
    if (!items[i].is(JsonKind::kObject)) continue;
    Sound sound = read(fields);
    check(sound, fields.report());
    ids.add(sound.id, fields.pointer(), fields.report());
    out.push_back(std::move(sound));
  }
  return out;
}

void find_duplicate_keys(const JsonValue& value, const std::string& pointer, Faults& faults) {
  const auto items = value.items();
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i].is(JsonKind::kObject) && !items[i].is(JsonKind::kArray)) continue;
    find_duplicate_keys(items[i], pointer + "/" + std::to_string(i), faults);
  }
  std::unordered_set<std::string> keys;
  for (const auto& [key, inner] : value.members()) {
    if (!keys.insert(key.as_string()).second) {
      faults.add(pointer + "/" + pointer_token(key), "this key stands twice in its object");
    }
    if (inner.is(JsonKind::kObject) || inner.is(JsonKind::kArray)) {
      find_duplicate_keys(inner, pointer + "/" + pointer_token(key), faults);
    }
  }
}

void check_schema(const Fields& root) {
  std::string schema(kEventSchema);
  root.need("schema");
  root.read("schema", schema);
  if (schema != kEventSchema) {
    root.fault("schema", "expected \"" + std::string(kEventSchema) + "\", found " +
                             excerpt(schema) + "; this program reads no other form");
  }
}

}  // namespace

EventTimeline timeline_from(const JsonText& json, const std::string& name,
                            std::optional<Seconds> bound) {
  Faults faults;
  find_duplicate_keys(json.root(), "", faults);
  const Fields root(json.root(), "", faults);
  EventTimeline timeline;
  check_schema(root);
  if (const auto clip = root.get("clip", JsonKind::kObject)) {
    const Fields fields(*clip, "/clip", faults);
    timeline.clip = read_clip(fields);
    check_clip(timeline.clip, fields.report());
    if (timeline.clip == TimelineClip{}) fields.fault("duration_s", "expected a time above 0.0");
  }
  const Seconds end =
      timeline.clip.duration > Seconds(0) || !bound ? end_of(timeline.clip) : *bound;
  root.read("cuts_s", timeline.cuts);
  check_cuts(timeline.cuts, end, [&](const std::string& field, const std::string& fault) {
    faults.add("/cuts_s/" + field, fault);
  });
  IdRegister ids;
  timeline.ambience = read_list<AmbienceLayer>(
      root, "ambience", name, faults, ids, read_layer,
      [end](const auto& layer, const auto& report) { check_layer(layer, end, report); });
  root.need("events");
  timeline.events = read_list<SoundEvent>(
      root, "events", name, faults, ids, read_event,
      [end](const auto& event, const auto& report) { check_event(event, end, report); });
  root.read("prompt", timeline.prompt);
  root.read("negative_prompt", timeline.negative_prompt);
  if (const auto made_by = root.get("made_by", JsonKind::kObject)) {
    const Fields fields(*made_by, "/made_by", faults);
    fields.read("program", timeline.made_by.program);
    fields.read("version", timeline.made_by.version);
    fields.read("detector", timeline.made_by.detector);
    fields.read("models", timeline.made_by.models);
  }
  faults.throw_if_any(name);
  std::stable_sort(timeline.events.begin(), timeline.events.end(),
                   [](const auto& a, const auto& b) { return a.onset < b.onset; });
  std::stable_sort(timeline.cuts.begin(), timeline.cuts.end());
  return timeline;
}

}  // namespace qingyin
