#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qingyin {

enum class JsonKind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

/// "a number", "an object", ...: for messages.
std::string_view name_of(JsonKind kind);

/// What a JSON text may cost.
struct JsonLimits {
  std::size_t bytes = std::size_t{16} << 20U;
  std::size_t depth = 32;  // arrays and objects inside one another
};

class JsonText;

/// One value inside a JsonText, which it must not outlive. Cheap to copy.
class JsonValue {
 public:
  JsonKind kind() const;
  bool is(JsonKind wanted) const { return kind() == wanted; }

  /// Where the value stands in the text, quotes and brackets included.
  std::size_t begin() const;
  std::size_t end() const;
  /// The value as it is spelled in the text.
  std::string_view spelling() const;

  /// The characters of a string, escapes resolved.
  std::string as_string() const;
  /// True if the value is a string of just these characters.
  bool equals(std::string_view characters) const;
  bool as_bool() const { return spelling() == "true"; }
  /// The nearest double; none if the value is no number or lies outside what a double can hold.
  std::optional<double> as_double() const;
  /// The exact value; none if it is not spelled as a whole number without sign below 2^64.
  std::optional<std::uint64_t> as_unsigned() const;
  /// The exact value; none if it is not spelled as a whole number of 64 bits.
  std::optional<std::int64_t> as_signed() const;

  /// The elements of an array in order; empty for any other kind.
  std::vector<JsonValue> items() const;

  struct Member;
  /// The members of an object in order, duplicates too; empty for any other kind.
  std::vector<Member> members() const;
  /// The first member of an object with this key.
  std::optional<JsonValue> find(std::string_view key) const;

 private:
  friend class JsonText;
  JsonValue(const JsonText* text, std::uint32_t node) : text_(text), node_(node) {}

  const JsonText* text_;
  std::uint32_t node_;
};

struct JsonValue::Member {
  JsonValue key;
  JsonValue value;
};

/// A JSON text (RFC 8259, strict) and where each of its values stands: the spelling of numbers, the
/// order of keys, duplicate keys and white space stay visible. Costs 16 bytes a value beside the
/// text; parsing uses no recursion. A leading byte order mark is allowed.
class JsonText {
 public:
  /// @param name  stands in messages
  /// @throws Error  kInvalidInput with line and column; reason "limit" where a limit is passed
  JsonText(std::string text, const std::string& name, const JsonLimits& limits = {});
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;

  JsonValue root() const { return {this, 0}; }
  std::string_view text() const { return text_; }

 private:
  friend class JsonValue;
  friend class JsonParser;

  struct Node {
    std::uint32_t begin, end;
    std::uint32_t next;  // the node behind this one and all that it holds
    JsonKind kind;
  };

  std::string text_;
  std::vector<Node> nodes_;  // depth first; in an object keys and values take turns
};

/// The characters as a JSON string, with quotes. Only what must be escaped is.
std::string json_quoted(std::string_view characters);

/// The shortest spelling that reads back as the same double, with a point or an exponent ("0.0").
std::string json_number(double value);

}  // namespace qingyin
