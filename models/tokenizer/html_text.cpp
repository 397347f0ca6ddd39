#include "models/tokenizer/html_text.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>

#include "models/tokenizer/code_pages.h"
#include "models/tokenizer/html_entity_table.h"
#include "models/tokenizer/unicode_text.h"

namespace qingyin {
namespace {

struct Entity {
  std::u32string text;
  bool needs_semicolon;
};
using Entities = std::map<std::u32string, Entity, std::less<>>;

std::u32string widened(std::string_view ascii) { return {ascii.begin(), ascii.end()}; }

Entities read_entities() {
  Entities entities;
  std::string_view rest = kHtmlEntities;
  while (!rest.empty()) {
    std::string_view item = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(item.size() + 1, rest.size()));
    std::string_view name = item.substr(0, item.find('='));
    std::string_view codes = item.substr(name.size() + 1);
    Entity entity{.text = {}, .needs_semicolon = !name.ends_with('!')};
    if (!entity.needs_semicolon) name.remove_suffix(1);
    while (!codes.empty()) {
      const std::string_view code = codes.substr(0, codes.find('+'));
      std::uint32_t point = 0;
      std::from_chars(code.data(), code.data() + code.size(), point, 16);
      entity.text += static_cast<char32_t>(point);
      codes.remove_prefix(std::min(code.size() + 1, codes.size()));
    }
    entities.emplace(widened(name), std::move(entity));
  }
  return entities;
}

const Entities& entities() {
  static const Entities table = read_entities();
  return table;
}

bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool is_hex_digit(char32_t c) {
  return is_digit(c) || (c >= U'a' && c <= U'f') || (c >= U'A' && c <= U'F');
}
bool is_alphanumeric(char32_t c) {
  return is_digit(c) || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}

/// What a numeric reference stands for; empty for characters that nothing may stand for.
std::u32string numbered(std::uint32_t number) {
  if (number == 0 || number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF)) return U"\uFFFD";
  if (number == 0x0D) return U"\r";
  if (number >= 0x80 && number <= 0x9F)
    return {decoded(CodePage::kWindows1252, static_cast<unsigned char>(number))};
  const bool is_control = number < 0x20 && number != 0x09 && number != 0x0A && number != 0x0C;
  const bool is_nothing = (number >= 0xFDD0 && number <= 0xFDEF) || (number & 0xFFFE) == 0xFFFE;
  if (is_control || number == 0x7F || is_nothing) return {};
  return {static_cast<char32_t>(number)};
}

/// A reference found in a text: its length with "&", and what it stands for.
struct Found {
  std::size_t length;
  std::u32string text;
  bool has_semicolon;
};

/// "#123;" or "#x1F;" at the begin of `text`, which follows an "&".
std::optional<Found> numeric_reference(std::u32string_view text) {
  if (text.empty() || text[0] != U'#') return {};
  const bool is_hex = text.size() > 1 && (text[1] == U'x' || text[1] == U'X');
  std::size_t end = is_hex ? 2 : 1;
  const std::size_t begin = end;
  std::uint32_t number = 0;
  for (; end < text.size() && (is_hex ? is_hex_digit(text[end]) : is_digit(text[end])); ++end) {
    const char32_t c = text[end] | 0x20;  // a digit stays, a letter becomes small
    const std::uint32_t digit = c >= U'a' ? c - U'a' + 10 : c - U'0';
    number = std::min<std::uint32_t>(number * (is_hex ? 16 : 10) + digit, 0x110000);
  }
  if (end == begin) return {};
  const bool has_semicolon = end < text.size() && text[end] == U';';
  return Found{1 + end + (has_semicolon ? 1 : 0), numbered(number), has_semicolon};
}

/// A known name at the begin of `text`: the whole of it, or its longest known beginning.
std::optional<Found> named_reference(std::u32string_view text) {
  constexpr std::size_t kLongest = 32;
  static constexpr std::u32string_view kStops = U"\t\n\f <&#;";
  const std::size_t stop = std::min(text.find_first_of(kStops), text.size());
  const std::u32string_view name = text.substr(0, std::min(stop, kLongest));
  if (name.size() < text.size() && text[name.size()] == U';') {
    const auto whole = entities().find(name);
    if (whole != entities().end()) return Found{name.size() + 2, whole->second.text, true};
  }
  for (std::size_t length = name.size(); length > 1; --length) {
    const auto known = entities().find(name.substr(0, length));
    if (known != entities().end() && !known->second.needs_semicolon)
      return Found{length + 1, known->second.text, false};
  }
  return {};
}

/// The name in capitals of an entity in small letters: "&NTILDE;" for Ñ.
std::optional<Found> shouted_reference(std::u32string_view text) {
  const std::u32string_view name = text.substr(0, text.find(U';'));
  if (name.size() == text.size() || named_reference(text)) return {};
  std::u32string small(name);
  for (char32_t& c : small) {
    if (c >= U'a' && c <= U'z') return {};
    if (c >= U'A' && c <= U'Z') c |= 0x20;
  }
  const auto known = entities().find(small);
  if (known == entities().end()) return {};
  return Found{name.size() + 2, upper_case(known->second.text), true};
}

template <typename Find>
std::u32string replaced(std::u32string_view text, Find find) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::optional<Found> found =
        text[i] == U'&' ? find(text.substr(i + 1)) : std::optional<Found>{};
    if (found)
      result += found->text;
    else
      result += text[i];
    i += found ? found->length : 1;
  }
  return result;
}

}  // namespace

std::u32string unescaped(std::u32string_view text) {
  return replaced(text, [](std::u32string_view rest) {
    const auto numeric = numeric_reference(rest);
    return numeric ? numeric : named_reference(rest);
  });
}

std::u32string surely_unescaped(std::u32string_view text) {
  return replaced(text, [](std::u32string_view rest) -> std::optional<Found> {
    constexpr std::size_t kLongest = 24;
    const std::size_t start = !rest.empty() && rest[0] == U'#' ? 1 : 0;
    std::size_t end = start;
    while (end < rest.size() && is_alphanumeric(rest[end])) ++end;
    const bool is_reference =
        end > start && end - start <= kLongest && end < rest.size() && rest[end] == U';';
    if (!is_reference) return {};
    auto found = start == 1 ? numeric_reference(rest) : named_reference(rest);
    if (!found) found = shouted_reference(rest);
    return found && found->has_semicolon ? found : std::nullopt;
  });
}

}  // namespace qingyin
