#include "core/json_merge.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <unordered_map>

#include "core/error.h"

namespace qingyin {
namespace {

double to_double(std::string_view spelling) {
  double value = 0;
  std::from_chars(spelling.data(), spelling.data() + spelling.size(), value);
  return value;
}

// Appends an object or array from its parts: kept parts with their own gap, new ones with a usual.
class Rebuilder {
 public:
  Rebuilder(std::string_view head, std::string usual_gap)
      : out_(head), gap_(std::move(usual_gap)) {}

  void add(const std::string& part, std::string_view own_gap = {}) {
    if (!is_first_) out_ += own_gap.empty() ? std::string_view(gap_) : own_gap;
    is_first_ = false;
    out_ += part;
  }
  std::string finish(std::string_view tail) { return out_ += tail; }

 private:
  std::string out_, gap_;
  bool is_first_ = true;
};

std::string_view between(const JsonValue& from, const JsonValue& to, std::string_view whole,
                         std::size_t offset) {
  return whole.substr(from.end() - offset, to.begin() - from.end());
}

bool is_rate(const JsonValue& value, const std::string& rate) {
  try {
    return to_string(parse_frame_rate(value.as_string())) == rate;
  } catch (const Error&) {
    return false;
  }
}

// True if the original already says what the draft says, whatever the spelling.
bool says_the_same(const JsonValue& original, const JsonDraft& draft) {
  if (!original.is(draft.kind)) return false;
  switch (draft.kind) {
    case JsonKind::kString:
      return original.equals(draft.text) || (draft.is_frame_rate && is_rate(original, draft.text));
    case JsonKind::kNumber: {
      if (original.spelling() == draft.text) return true;
      const bool is_whole = draft.text.find_first_of(".e") == std::string::npos;
      if (is_whole) return false;
      const auto value = original.as_double();
      return value && json_number(*value + 0.0) == json_number(to_double(draft.text) + 0.0);
    }
    case JsonKind::kArray: {
      const auto items = original.items();
      return std::equal(items.begin(), items.end(), draft.items.begin(), draft.items.end(),
                        says_the_same);
    }
    default:
      return original.spelling() == one_line(draft);
  }
}

std::string merge_object(const JsonValue& original, const JsonDraft& draft) {
  const auto members = original.members();
  const std::string_view whole = original.spelling();
  const std::size_t offset = original.begin();
  if (members.empty()) {
    std::vector<JsonField> fields;
    for (const JsonField& field : draft.fields) {
      if (field.when == JsonField::When::kAlways) fields.push_back(field);
    }
    return fields.empty() ? std::string(whole) : one_line(JsonDraft::object(std::move(fields)));
  }
  const std::string_view head = whole.substr(0, members[0].key.begin() - offset);
  std::string gap = "," + std::string(head.substr(1));
  if (members.size() > 1) gap = between(members[0].value, members[1].key, whole, offset);
  if (gap == ",") gap = ", ";
  Rebuilder out(head, gap);
  for (std::size_t i = 0; i < members.size(); ++i) {
    const auto& [key, value] = members[i];
    const auto field = std::find_if(draft.fields.begin(), draft.fields.end(),
                                    [&key = key](const JsonField& f) { return key.equals(f.key); });
    const bool is_known = field != draft.fields.end();
    if (is_known ? field->when == JsonField::When::kRemoved : draft.is_closed) continue;
    std::string part(whole.substr(key.begin() - offset, value.begin() - key.begin()));
    part += is_known ? merge(value, field->value) : std::string(value.spelling());
    out.add(part, i == 0 ? std::string_view{} : between(members[i - 1].value, key, whole, offset));
  }
  for (const JsonField& field : draft.fields) {
    if (field.when != JsonField::When::kAlways || original.find(field.key)) continue;
    out.add(json_quoted(field.key) + ": " + one_line(field.value));
  }
  return out.finish(whole.substr(members.back().value.end() - offset));
}

const JsonField* find_field(const JsonDraft& draft, std::string_view key) {
  const auto field = std::find_if(draft.fields.begin(), draft.fields.end(),
                                  [key](const JsonField& f) { return f.key == key; });
  return field == draft.fields.end() ? nullptr : &*field;
}

double time_of(const JsonDraft& draft) {
  const JsonField* onset = find_field(draft, "onset_s");
  return to_double(onset != nullptr ? onset->value.text : draft.text);
}

// What an element of an array is recognised by.
std::string identity(const JsonValue& item) {
  const auto id = item.find("id");
  if (id && id->is(JsonKind::kString)) return id->as_string();
  const auto number = item.as_double();
  return number ? json_number(*number) : std::string(item.spelling());
}

std::string identity(const JsonDraft& item) {
  const JsonField* id = find_field(item, "id");
  return id != nullptr ? id->value.text : one_line(item);
}

// For each element to write: the draft's index and, where there is one, the original's.
struct Pair {
  std::size_t draft;
  std::size_t original;
};
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::vector<Pair> pair_up(const std::vector<JsonValue>& items, const JsonDraft& draft) {
  const bool by_place = !draft.sorted_on_reading && items.size() == draft.items.size() &&
                        (draft.items.empty() || find_field(draft.items[0], "id") == nullptr);
  std::unordered_multimap<std::string, std::size_t> known;
  for (std::size_t i = items.size(); i-- > 0 && !by_place;) known.emplace(identity(items[i]), i);
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < draft.items.size(); ++i) {
    pairs.push_back({i, by_place ? i : kNone});
    if (by_place) continue;
    if (const auto found = known.find(identity(draft.items[i])); found != known.end()) {
      pairs.back().original = found->second;
      known.erase(found);
    }
  }
  return pairs;
}

// Puts the pairs back into the original's order, if reading the result gives the draft's order.
void restore_order(std::vector<Pair>& pairs, std::size_t originals, const JsonDraft& draft) {
  if (!draft.sorted_on_reading || pairs.size() != originals) return;
  auto in_file = pairs;
  std::sort(in_file.begin(), in_file.end(),
            [](const Pair& a, const Pair& b) { return a.original < b.original; });
  if (!in_file.empty() && in_file.back().original == kNone) return;
  auto sorted = in_file;
  std::stable_sort(sorted.begin(), sorted.end(), [&draft](const Pair& a, const Pair& b) {
    return time_of(draft.items[a.draft]) < time_of(draft.items[b.draft]);
  });
  const bool reads_back =
      std::equal(sorted.begin(), sorted.end(), pairs.begin(), pairs.end(),
                 [](const Pair& a, const Pair& b) { return a.draft == b.draft; });
  if (reads_back) pairs = std::move(in_file);
}

std::string merge_array(const JsonValue& original, const JsonDraft& draft) {
  const auto items = original.items();
  const std::string_view whole = original.spelling();
  const std::size_t offset = original.begin();
  std::vector<Pair> pairs = pair_up(items, draft);
  restore_order(pairs, items.size(), draft);
  const bool has_objects = !draft.items.empty() && draft.items[0].kind == JsonKind::kObject;
  std::string head = has_objects ? "[\n    " : "[", tail = has_objects ? "\n  ]" : "]";
  std::string gap = has_objects ? ",\n    " : ", ";
  if (draft.items.empty()) return items.empty() ? std::string(whole) : "[]";
  if (!items.empty()) {
    head = whole.substr(0, items[0].begin() - offset);
    tail = whole.substr(items.back().end() - offset);
    gap = "," + (items.size() > 1 || head.size() > 1 ? head.substr(1) : " ");
  }
  if (items.size() > 1) gap = between(items[0], items[1], whole, offset);
  Rebuilder out(head, gap);
  std::size_t last = kNone;
  for (const Pair& pair : pairs) {
    const JsonDraft& item = draft.items[pair.draft];
    if (pair.original == kNone) {
      out.add(one_line(item));
    } else {
      // Neighbours of the original keep the very gap that was between them.
      const bool follows = last != kNone && pair.original == last + 1;
      out.add(
          merge(items[pair.original], item),
          follows ? between(items[last], items[pair.original], whole, offset) : std::string_view{});
    }
    last = pair.original;
  }
  return out.finish(tail);
}

}  // namespace

JsonDraft JsonDraft::scalar(JsonKind kind, std::string text) {
  JsonDraft draft;
  draft.kind = kind;
  draft.text = std::move(text);
  return draft;
}
JsonDraft JsonDraft::string(std::string characters) {
  return scalar(JsonKind::kString, std::move(characters));
}
JsonDraft JsonDraft::frame_rate(FrameRate rate) {
  JsonDraft draft = string(to_string(rate));
  draft.is_frame_rate = true;
  return draft;
}
JsonDraft JsonDraft::number(double value) { return scalar(JsonKind::kNumber, json_number(value)); }
JsonDraft JsonDraft::boolean(bool value) {
  return scalar(JsonKind::kBool, value ? "true" : "false");
}
JsonDraft JsonDraft::array(std::vector<JsonDraft> items) {
  JsonDraft draft;
  draft.kind = JsonKind::kArray;
  draft.items = std::move(items);
  return draft;
}
JsonDraft JsonDraft::object(std::vector<JsonField> fields) {
  JsonDraft draft;
  draft.kind = JsonKind::kObject;
  draft.fields = std::move(fields);
  return draft;
}

std::string one_line(const JsonDraft& draft) {
  if (draft.kind == JsonKind::kString) return json_quoted(draft.text);
  if (draft.kind == JsonKind::kArray) {
    std::string out = "[";
    for (const JsonDraft& item : draft.items) {
      out += (out.size() > 1 ? ", " : "") + one_line(item);
    }
    return out += "]";
  }
  if (draft.kind == JsonKind::kObject) {
    std::string out = "{";
    for (const JsonField& field : draft.fields) {
      using enum JsonField::When;
      if (field.when == kRemoved || field.when == kEmpty) continue;
      out += (out.size() > 1 ? ", " : "") + json_quoted(field.key) + ": " + one_line(field.value);
    }
    return out += "}";
  }
  return draft.text;
}

std::string merge(const JsonValue& original, const JsonDraft& draft) {
  if (!original.is(draft.kind)) return one_line(draft);
  if (draft.kind == JsonKind::kObject) return merge_object(original, draft);
  if (draft.kind == JsonKind::kArray) return merge_array(original, draft);
  return says_the_same(original, draft) ? std::string(original.spelling()) : one_line(draft);
}

}  // namespace qingyin
