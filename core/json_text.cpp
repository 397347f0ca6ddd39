#include "core/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Value of four hexadecimal digits; the parser has checked them.
std::uint32_t hex4(std::string_view digits) {
  std::uint32_t value = 0;
  std::from_chars(digits.data(), digits.data() + 4, value, 16);
  return value;
}

bool is_high_surrogate(std::uint32_t code) { return code >= 0xD800 && code <= 0xDBFF; }
bool is_low_surrogate(std::uint32_t code) { return code >= 0xDC00 && code <= 0xDFFF; }

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    tail(12), tail(6), tail(0);
  }
}

// `escape` starts at the backslash. Appends its character and returns the escape's length.
std::size_t append_unescaped(std::string& out, std::string_view escape) {
  constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
  if (const auto letter = kLetters.find(escape[1]); letter != std::string_view::npos) {
    out += kMeanings[letter];
    return 2;
  }
  const std::uint32_t code = hex4(escape.substr(2));
  if (!is_high_surrogate(code)) {
    append_utf8(out, code);
    return 6;
  }
  append_utf8(out, 0x10000 + ((code - 0xD800) << 10U) + (hex4(escape.substr(8)) - 0xDC00));
  return 12;
}

template <typename Number>
std::optional<Number> parse_number(std::string_view spelling) {
  Number value{};
  const char* end = spelling.data() + spelling.size();
  const auto [stop, status] = std::from_chars(spelling.data(), end, value);
  if (status != std::errc() || stop != end) return {};
  return value;
}

}  // namespace

/// Reads the text of a JsonText into its nodes.
class JsonParser {
 public:
  JsonParser(JsonText& out, const std::string& name, const JsonLimits& limits)
      : text_(out.text_), nodes_(out.nodes_), name_(name), limits_(limits) {}

  void run();

 private:
  [[noreturn]] void fail(std::size_t at, const std::string& what, std::string reason = {}) const;
  [[noreturn]] void fail_expecting(const std::string& what) const;
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c);
  void skip_space();
  std::uint32_t add(JsonKind kind);
  void finish(std::uint32_t node);
  void open(JsonKind kind);
  bool close_if_due();
  void value();
  void key();
  void string();
  void escape();
  std::uint32_t unicode_escape();
  void number();
  void digits();
  void word(std::string_view word, JsonKind kind);

  std::string_view text_;
  std::vector<JsonText::Node>& nodes_;
  const std::string& name_;
  const JsonLimits& limits_;
  std::size_t at_ = 0;
  std::vector<std::uint32_t> open_;  // the containers around the place that is read
};

void JsonParser::fail(std::size_t at, const std::string& what, std::string reason) const {
  const std::string_view before = text_.substr(0, at);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto line_start = before.rfind('\n');
  const auto column = at - (line_start == std::string_view::npos ? 0 : line_start + 1) + 1;
  throw Error(
      ErrorCode::kInvalidInput,
      name_ + ": line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + what,
      std::move(reason));
}

void JsonParser::fail_expecting(const std::string& what) const {
  const bool at_end = at_ >= text_.size();
  fail(at_, "expected " + what + ", found " +
                (at_end ? "the end of the text" : excerpt(text_.substr(at_, 20), 16)));
}

bool JsonParser::take(char c) {
  if (at_ >= text_.size() || text_[at_] != c) return false;
  ++at_;
  return true;
}

void JsonParser::skip_space() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
    ++at_;
  }
}

std::uint32_t JsonParser::add(JsonKind kind) {
  nodes_.push_back({static_cast<std::uint32_t>(at_), 0, 0, kind});
  return static_cast<std::uint32_t>(nodes_.size() - 1);
}

void JsonParser::finish(std::uint32_t node) {
  nodes_[node].end = static_cast<std::uint32_t>(at_);
  nodes_[node].next = static_cast<std::uint32_t>(nodes_.size());
}

void JsonParser::open(JsonKind kind) {
  if (open_.size() >= limits_.depth) {
    fail(at_, "nested deeper than " + std::to_string(limits_.depth) + " levels", "limit");
  }
  open_.push_back(add(kind));
  ++at_;
}

// Takes the bracket that ends the innermost container, if it stands here.
bool JsonParser::close_if_due() {
  if (!take(nodes_[open_.back()].kind == JsonKind::kArray ? ']' : '}')) return false;
  finish(open_.back());
  open_.pop_back();
  return true;
}

void JsonParser::run() {
  if (text_.size() > limits_.bytes) {
    throw Error(ErrorCode::kInvalidInput,
                name_ + ": has " + std::to_string(text_.size()) + " bytes; at most " +
                    std::to_string(limits_.bytes) + " are read",
                "limit");
  }
  if (const auto bad = find_bad_utf8(text_); bad != std::string_view::npos) {
    fail(bad, "is not UTF-8 here; save the file as UTF-8");
  }
  if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  bool wants_value = true;
  while (true) {
    skip_space();
    if (wants_value) {
      const std::size_t depth = open_.size();
      value();
      if (open_.size() > depth) {
        skip_space();
        if (!close_if_due()) {
          if (nodes_[open_.back()].kind == JsonKind::kObject) key();
          continue;
        }
      }
      wants_value = false;
    } else if (open_.empty()) {
      if (at_ < text_.size()) fail_expecting("the end of the text");
      return;
    } else if (take(',')) {
      skip_space();
      if (nodes_[open_.back()].kind == JsonKind::kObject) key();
      wants_value = true;
    } else if (!close_if_due()) {
      fail_expecting(nodes_[open_.back()].kind == JsonKind::kArray ? "',' or ']'" : "',' or '}'");
    }
  }
}

void JsonParser::value() {
  switch (peek()) {
    case '{':
      return open(JsonKind::kObject);
    case '[':
      return open(JsonKind::kArray);
    case '"':
      return string();
    case 't':
      return word("true", JsonKind::kBool);
    case 'f':
      return word("false", JsonKind::kBool);
    case 'n':
      return word("null", JsonKind::kNull);
    default:
      if (peek() != '-' && !is_digit(peek())) fail_expecting("a value");
      return number();
  }
}

void JsonParser::key() {
  if (peek() != '"') fail_expecting("a key in double quotes");
  string();
  skip_space();
  if (!take(':')) fail_expecting("':'");
}

void JsonParser::string() {
  const std::uint32_t node = add(JsonKind::kString);
  const std::size_t start = at_++;
  while (true) {
    if (at_ >= text_.size()) fail(start, "this string has no end");
    const char c = text_[at_];
    if (static_cast<unsigned char>(c) < 0x20) {
      fail(at_, "a control character in a string must be escaped");
    }
    if (c == '\\') {
      escape();
    } else if (++at_; c == '"') {
      return finish(node);
    }
  }
}

void JsonParser::escape() {
  const std::size_t start = at_++;
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  if (peek() != 'u') {
    if (at_ >= text_.size() || kLetters.find(peek()) == std::string_view::npos) {
      fail(start, "unknown escape " + excerpt(text_.substr(start, 2)));
    }
    ++at_;
    return;
  }
  const std::uint32_t code = unicode_escape();
  if (is_low_surrogate(code)) fail(start, "half a surrogate pair is no character");
  if (!is_high_surrogate(code)) return;
  if (!take('\\') || peek() != 'u' || !is_low_surrogate(unicode_escape())) {
    fail(start, "half a surrogate pair is no character");
  }
}

// Stands at the 'u'.
std::uint32_t JsonParser::unicode_escape() {
  const std::string_view four = text_.substr(++at_, 4);
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  if (four.size() < 4 || four.find_first_not_of(kHex) != std::string_view::npos) {
    fail(at_ - 2, "\\u needs four hexadecimal digits");
  }
  at_ += 4;
  return hex4(four);
}

void JsonParser::digits() {
  if (!is_digit(peek())) fail_expecting("a digit");
  while (is_digit(peek())) ++at_;
}

void JsonParser::number() {
  const std::uint32_t node = add(JsonKind::kNumber);
  take('-');
  if (take('0')) {
    if (is_digit(peek())) fail(at_ - 1, "a number may not start with 0");
  } else {
    digits();
  }
  if (take('.')) digits();
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    digits();
  }
  finish(node);
}

void JsonParser::word(std::string_view word, JsonKind kind) {
  if (text_.substr(at_, word.size()) != word) fail_expecting("a value");
  const std::uint32_t node = add(kind);
  at_ += word.size();
  finish(node);
}

JsonText::JsonText(std::string text, const std::string& name, const JsonLimits& limits)
    : text_(std::move(text)) {
  JsonParser(*this, name, limits).run();
}

JsonKind JsonValue::kind() const { return text_->nodes_[node_].kind; }
std::size_t JsonValue::begin() const { return text_->nodes_[node_].begin; }
std::size_t JsonValue::end() const { return text_->nodes_[node_].end; }

std::string_view JsonValue::spelling() const {
  return text_->text().substr(begin(), end() - begin());
}

std::string JsonValue::as_string() const {
  std::string_view rest = spelling().substr(1, end() - begin() - 2);
  std::string out;
  while (true) {
    const auto backslash = rest.find('\\');
    out += rest.substr(0, backslash);
    if (backslash == std::string_view::npos) return out;
    rest.remove_prefix(backslash);
    rest.remove_prefix(append_unescaped(out, rest));
  }
}

bool JsonValue::equals(std::string_view characters) const {
  if (!is(JsonKind::kString)) return false;
  const std::string_view raw = spelling().substr(1, end() - begin() - 2);
  if (raw.find('\\') == std::string_view::npos) return raw == characters;
  return as_string() == characters;
}

std::optional<double> JsonValue::as_double() const {
  if (!is(JsonKind::kNumber)) return {};
  return parse_number<double>(spelling());
}

std::optional<std::uint64_t> JsonValue::as_unsigned() const {
  if (!is(JsonKind::kNumber)) return {};
  return parse_number<std::uint64_t>(spelling());
}

std::optional<std::int64_t> JsonValue::as_signed() const {
  if (!is(JsonKind::kNumber)) return {};
  return parse_number<std::int64_t>(spelling());
}

std::vector<JsonValue> JsonValue::items() const {
  std::vector<JsonValue> out;
  if (!is(JsonKind::kArray)) return out;
  const std::uint32_t stop = text_->nodes_[node_].next;
  for (std::uint32_t node = node_ + 1; node < stop; node = text_->nodes_[node].next) {
    out.push_back({text_, node});
  }
  return out;
}

std::vector<JsonValue::Member> JsonValue::members() const {
  std::vector<Member> out;
  if (!is(JsonKind::kObject)) return out;
  const std::uint32_t stop = text_->nodes_[node_].next;
  for (std::uint32_t node = node_ + 1; node < stop; node = text_->nodes_[node + 1].next) {
    out.push_back({{text_, node}, {text_, node + 1}});
  }
  return out;
}

std::optional<JsonValue> JsonValue::find(std::string_view key) const {
  if (!is(JsonKind::kObject)) return {};
  const std::uint32_t stop = text_->nodes_[node_].next;
  for (std::uint32_t node = node_ + 1; node < stop; node = text_->nodes_[node + 1].next) {
    if (JsonValue(text_, node).equals(key)) return JsonValue(text_, node + 1);
  }
  return {};
}

std::string_view name_of(JsonKind kind) {
  constexpr std::array<std::string_view, 6> kNames = {"null",     "a truth value", "a number",
                                                      "a string", "an array",      "an object"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string json_quoted(std::string_view characters) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : characters) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      ((out += "\\u00") += kDigits[byte >> 4U]) += kDigits[byte & 15U];
    } else {
      out += c;
    }
  }
  return out += '"';
}

std::string json_number(double value) {
  std::array<char, 32> buffer{};
  const auto [end, status] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  require(status == std::errc(), ErrorCode::kInternal, "a number has no spelling");
  std::string out(buffer.data(), end);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

}  // namespace qingyin
