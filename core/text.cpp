#include "core/text.h"

namespace qingyin {
namespace {

// Length of the well-formed UTF-8 sequence at `at`; 0 if there is none (Unicode 15, table 3-7).
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto is_tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return is_tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool in_range = (first != 0xE0 || byte(1) >= 0xA0) && (first != 0xED || byte(1) < 0xA0);
    return is_tail(1) && is_tail(2) && in_range ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool in_range = (first != 0xF0 || byte(1) >= 0x90) && (first != 0xF4 || byte(1) < 0x90);
    return is_tail(1) && is_tail(2) && is_tail(3) && in_range ? 4 : 0;
  }
  return 0;
}

// Controls of C0, DEL and C1, and the marks that turn the direction of text (they can hide what
// follows them in a terminal).
bool is_hidden(std::string_view character) {
  if (character.size() == 1) {
    return static_cast<unsigned char>(character[0]) < 0x20 || character[0] == 0x7F;
  }
  if (character.size() == 2) {
    return character[0] == '\xC2' && static_cast<unsigned char>(character[1]) < 0xA0;
  }
  if (character.size() == 3 && character[0] == '\xE2') {
    const auto last = static_cast<unsigned char>(character[2]);
    return (character[1] == '\x80' &&
            ((last >= 0xA8 && last <= 0xAE) || last == 0x8E || last == 0x8F)) ||
           (character[1] == '\x81' && last >= 0xA6 && last <= 0xA9);
  }
  return false;
}

void append_escaped(std::string& out, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += "\\x";
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
}

// Stops after about `max_bytes` of output. True if all of `text` went in.
bool append_printable(std::string& out, std::string_view text, std::size_t max_bytes,
                      bool in_quotes) {
  const std::size_t begin = out.size();
  for (std::size_t at = 0; at < text.size();) {
    if (out.size() - begin >= max_bytes) return false;
    const std::size_t length = utf8_length(text, at);
    const std::string_view character = text.substr(at, length == 0 ? 1 : length);
    if (length == 0 || is_hidden(character)) {
      append_escaped(out, character);
    } else if (in_quotes && (character == "\"" || character == "\\")) {
      (out += '\\') += character;
    } else {
      out += character;
    }
    at += character.size();
  }
  return true;
}

}  // namespace

std::size_t find_bad_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

bool is_utf8(std::string_view text) { return find_bad_utf8(text) == std::string_view::npos; }

std::string excerpt(std::string_view text, std::size_t max_bytes) {
  std::string out = "\"";
  const bool is_whole = append_printable(out, text, max_bytes, true);
  return out + (is_whole ? "\"" : "...\"");
}

std::string printable(const std::filesystem::path& path) {
  std::string out;
  append_printable(out, path.native(), std::string::npos, false);
  return out;
}

}  // namespace qingyin
