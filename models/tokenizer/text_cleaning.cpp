#include "models/tokenizer/text_cleaning.h"

#include <map>

#include "models/tokenizer/html_text.h"
#include "models/tokenizer/mojibake.h"
#include "models/tokenizer/unicode_text.h"

namespace qingyin {
namespace {

// Ligatures and digraphs of Latin letters.
const std::map<char32_t, std::u32string_view>& ligatures() {
  static const std::map<char32_t, std::u32string_view> table{
      {U'Ĳ', U"IJ"},  {U'ĳ', U"ij"},  {U'ŉ', U"ʼn"}, {U'Ǳ', U"DZ"}, {U'ǲ', U"Dz"}, {U'ǳ', U"dz"},
      {U'Ǆ', U"DŽ"},  {U'ǅ', U"Dž"},  {U'ǆ', U"dž"}, {U'Ǉ', U"LJ"}, {U'ǈ', U"Lj"}, {U'ǉ', U"lj"},
      {U'Ǌ', U"NJ"},  {U'ǋ', U"Nj"},  {U'ǌ', U"nj"}, {U'ﬀ', U"ff"}, {U'ﬁ', U"fi"}, {U'ﬂ', U"fl"},
      {U'ﬃ', U"ffi"}, {U'ﬄ', U"ffl"}, {U'ﬅ', U"ſt"}, {U'ﬆ', U"st"}};
  return table;
}

/// Characters that stand for something in markup or for nothing at all.
bool is_unwanted(char32_t c) {
  return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
         (c >= 0x206A && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

/// One character as it is usually written; empty if it should not be there.
std::u32string usual_form(char32_t c) {
  const auto ligature = ligatures().find(c);
  if (ligature != ligatures().end()) return std::u32string(ligature->second);
  if (c == 0x3000) return U" ";
  if (c >= 0xFF01 && c < 0xFFF0) return compatible(c);
  if (c >= 0x2018 && c <= 0x201B) return U"'";
  if (c >= 0x201C && c <= 0x201F) return U"\"";
  if (c == 0x2028 || c == 0x2029 || c == 0x85) return U"\n";
  return std::u32string(1, c);
}

/// Length of "ESC [ digits and semicolons letter" at `at`; 0 if it is something else.
std::size_t terminal_escape(std::u32string_view text, std::size_t at) {
  if (text[at] != 0x1B || at + 1 >= text.size() || text[at + 1] != U'[') return 0;
  std::size_t end = at + 2;
  while (end < text.size() && ((text[end] >= U'0' && text[end] <= U'9') || text[end] == U';'))
    ++end;
  if (end == text.size()) return 0;
  const char32_t letter = text[end] | 0x20;
  return letter >= U'a' && letter <= U'z' ? end + 1 - at : 0;
}

std::u32string with_usual_forms(std::u32string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != U'\r')
      result += usual_form(text[i]);
    else if (i + 1 == text.size() || text[i + 1] != U'\n')
      result += U'\n';
  }
  return result;
}

std::u32string without_controls(std::u32string_view text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t escape = terminal_escape(text, i);
    if (escape == 0 && !is_unwanted(text[i])) result += text[i];
    i += escape == 0 ? 1 : escape;
  }
  return result;
}

std::u32string repaired_line(std::u32string line, bool& may_unescape) {
  if (line.find(U'<') != std::u32string::npos) may_unescape = false;
  for (;;) {
    std::u32string next = may_unescape ? surely_unescaped(line) : line;
    next = repaired_encoding(std::move(next));
    next = composed(without_controls(with_usual_forms(next)));
    if (next == line) return line;
    line = std::move(next);
  }
}

/// White space of any kind and length becomes one blank, none at the ends.
std::u32string collapsed(std::u32string_view text) {
  std::u32string result;
  bool is_apart = false;
  for (const char32_t c : text) {
    if (is_space(c)) {
      is_apart = true;
      continue;
    }
    if (is_apart && !result.empty()) result += U' ';
    is_apart = false;
    result += c;
  }
  return result;
}

}  // namespace

std::u32string repaired(std::u32string_view text) {
  std::u32string result;
  // Where there is a "<" the references may be part of markup: from there on they stay.
  bool may_unescape = true;
  while (!text.empty()) {
    const std::u32string_view line = text.substr(0, text.find(U'\n') + 1);
    const std::u32string_view segment = line.empty() ? text : line;
    result += repaired_line(std::u32string(segment), may_unescape);
    text.remove_prefix(segment.size());
  }
  return result;
}

std::string cleaned_prompt(std::string_view prompt) {
  const std::u32string plain = unescaped(unescaped(repaired(from_utf8(prompt))));
  return to_utf8(lower_case(collapsed(plain)));
}

}  // namespace qingyin
