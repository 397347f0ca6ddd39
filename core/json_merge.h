#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include "core/json_text.h"
#include "core/time.h"

namespace qingyin {

struct JsonField;

/// A value that is to be written, before it is a text.
struct JsonDraft {
  JsonKind kind = JsonKind::kNull;
  std::string text;               // strings: the characters; numbers and truth values: the spelling
  std::vector<JsonDraft> items;   // arrays
  std::vector<JsonField> fields;  // objects
  bool is_frame_rate = false;     // strings: "25" says the same as "25/1"
  bool sorted_on_reading = false;  // arrays: the order in a text has no meaning
  bool is_closed = false;          // objects: a member that the draft lacks goes away

  static JsonDraft string(std::string characters);
  static JsonDraft frame_rate(FrameRate rate);
  static JsonDraft number(double value);
  template <std::integral Whole>
  static JsonDraft number(Whole value) {
    return scalar(JsonKind::kNumber, std::to_string(value));
  }
  static JsonDraft scalar(JsonKind kind, std::string text);
  static JsonDraft boolean(bool value);
  static JsonDraft array(std::vector<JsonDraft> items);
  static JsonDraft object(std::vector<JsonField> fields);
};

/// A member of an object draft.
struct JsonField {
  std::string key;
  JsonDraft value;
  enum class When {
    kAlways,
    kDefault,  // means the same when absent: not added to a text that lacks it
    kEmpty,    // as kDefault, and left out of new objects as well
    kRemoved,  // has no value: a member that is there goes away
  } when = When::kAlways;
};

/// The draft on one line: `{"a": 1, "b": [2, 3]}`.
std::string one_line(const JsonDraft& draft);

/// `original` with the draft's values. Whatever already has the draft's value keeps its bytes, and
/// so do white space, order and members that the draft does not know. Elements that are objects
/// are recognised by their "id", other elements by place and value.
std::string merge(const JsonValue& original, const JsonDraft& draft);

}  // namespace qingyin
