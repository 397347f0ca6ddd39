#include "models/tokenizer/mojibake.h"

#include <optional>
#include <set>

#include "core/text.h"
#include "models/tokenizer/code_pages.h"
#include "models/tokenizer/unicode_text.h"

namespace qingyin {
namespace {

unsigned char byte_at(const std::string& bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

/// Bytes that follow a first byte of UTF-8; 0 where it is none.
std::size_t trail_of(unsigned char first) {
  if (first >= 0xC2 && first <= 0xDF) return 1;
  if (first >= 0xE0 && first <= 0xEF) return 2;
  if (first >= 0xF0 && first <= 0xF4) return 3;
  return 0;
}

bool continues(unsigned char byte) { return byte >= 0x80 && byte <= 0xBF; }

/// Whether a sequence at `at` would be a likely character if its one blank were the byte 0xA0.
bool lost_a_blank(const std::string& bytes, std::size_t at) {
  const unsigned char first = byte_at(bytes, at);
  const std::size_t trail = trail_of(first);
  if (trail == 0 || at + trail >= bytes.size()) return false;
  static const std::set<unsigned char> kLikelyPairs{0xC2, 0xC3, 0xC5, 0xCE, 0xD0, 0xD9};
  if (trail == 1) return kLikelyPairs.contains(first) && bytes[at + 1] == ' ';
  if (trail == 2 ? first > 0xE3 : first != 0xF0) return false;
  std::size_t blanks = 0;
  for (std::size_t i = 1; i <= trail; ++i) {
    const unsigned char byte = byte_at(bytes, at + i);
    if (byte == ' ') {
      ++blanks;
      // A letter with a blank behind it is too common where it is à or á.
      if (trail == 2 && i == 1 && first < 0xE2) return false;
    } else if (!continues(byte) || (trail == 2 && (byte == 0x85 || byte == 0xA0))) {
      return false;
    }
  }
  return blanks == 1;
}

/// "Ã la mode": a lone C3 before a blank is the word "à", unless one of the Portuguese words begins
/// there.
bool is_word_a_grave(const std::string& bytes, std::size_t at) {
  const std::string_view rest = std::string_view(bytes).substr(at);
  if (!rest.starts_with("\xC3 ")) return false;
  for (const std::string_view word : {" ", "quele", "quela", "quilo", "s "})
    if (rest.substr(2).starts_with(word)) return false;
  return true;
}

/// Puts back no-break spaces (0xA0) that somebody made blanks inside of a UTF-8 sequence.
std::string with_blanks_restored(const std::string& bytes) {
  std::string result = bytes;
  for (std::size_t at = 0; at < result.size(); ++at)
    if (is_word_a_grave(result, at)) result.replace(at, 2, "\xC3\xA0 ");
  for (std::size_t at = 0; at < result.size(); ++at) {
    if (!lost_a_blank(result, at)) continue;
    const std::size_t trail = trail_of(byte_at(result, at));
    for (std::size_t i = 1; i <= trail; ++i)
      if (result[at + i] == ' ') result[at + i] = '\xA0';
    at += trail;
  }
  return result;
}

/// Length of a UTF-8 sequence at `at` of which a byte is lost (0x1A, in places "?"); 0 if there is
/// none.
std::size_t lossy_length(const std::string& bytes, std::size_t at) {
  constexpr unsigned char kLost = 0x1A;
  const unsigned char first = byte_at(bytes, at);
  if (first == kLost) return 1;
  const std::size_t trail = trail_of(first);
  if (trail == 0 || at + trail >= bytes.size()) return 0;
  if (trail == 1) {
    const unsigned char second = byte_at(bytes, at + 1);
    return second == kLost || (second == '?' && first <= 0xC3) ? 2 : 0;
  }
  bool is_lossy = false;
  std::size_t marks = 0;
  for (std::size_t i = 1; i <= trail; ++i) {
    const unsigned char byte = byte_at(bytes, at + i);
    if (byte == '?') ++marks;
    if (byte == kLost || byte == '?')
      is_lossy = true;
    else if (!continues(byte))
      return 0;
  }
  return is_lossy && marks <= 1 ? trail + 1 : 0;
}

/// Sequences of which a byte is lost become U+FFFD.
std::string with_losses_marked(const std::string& bytes) {
  std::string result;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = lossy_length(bytes, at);
    result += length == 0 ? bytes.substr(at, 1) : "\xEF\xBF\xBD";
    at += length == 0 ? 1 : length;
  }
  return result;
}

/// The text if it was UTF-8 that was read as `page`.
std::optional<std::u32string> reread(const std::u32string& text, CodePage page) {
  auto bytes = encoded(page, text);
  if (!bytes) return {};
  if (page != CodePage::kMacRoman) bytes = with_blanks_restored(*bytes);
  if (is_windows(page)) bytes = with_losses_marked(*bytes);
  if (!is_utf8(*bytes)) return {};
  return from_utf8(*bytes);
}

/// Characters that bytes of UTF-8 turn into, by the role of the byte.
struct Clues {
  std::set<char32_t> first[4];  // by the number of bytes that follow
  std::set<char32_t> trail, sure_trail;
};

Clues read_clues() {
  static constexpr std::u32string_view kOrdinary =
      U" \u2013\u2014\u2015\u2018\u2019\u201A\u201C\u201D\u201E\u2022\u2026";
  Clues clues;
  for (const CodePage page : kCodePages) {
    if (page != CodePage::kLatin1 && !is_windows(page)) continue;
    for (int byte = 0x80; byte <= 0xF3; ++byte) {
      const char32_t c = decoded(page, static_cast<unsigned char>(byte));
      const std::size_t count = trail_of(static_cast<unsigned char>(byte));
      if (count > 0 && (count < 3 || byte == 0xF0 || byte == 0xF3)) clues.first[count].insert(c);
      if (!continues(static_cast<unsigned char>(byte))) continue;
      clues.trail.insert(c);
      if (kOrdinary.find(c) == std::u32string_view::npos) clues.sure_trail.insert(c);
    }
  }
  clues.trail.insert(U' ');  // may have been a no-break space
  return clues;
}

/// Length of the run at `at` that is made of misread UTF-8 sequences; 0 if there is none.
std::size_t misread_run(std::u32string_view text, std::size_t at) {
  static const Clues clues = read_clues();
  if (at > 0 && clues.sure_trail.contains(text[at - 1])) return 0;
  std::size_t end = at;
  const auto sequence_at = [&](std::size_t begin) -> std::size_t {
    for (std::size_t count = 1; count <= 3; ++count) {
      if (begin + count >= text.size() || !clues.first[count].contains(text[begin])) continue;
      std::size_t i = 1;
      while (i <= count && clues.trail.contains(text[begin + i])) ++i;
      if (i > count) return count + 1;
    }
    return 0;
  };
  while (end < text.size()) {
    const std::size_t length = sequence_at(end);
    if (length == 0) break;
    end += length;
  }
  return end - at;
}

/// Repairs the places of a text that as a whole is right.
std::u32string with_runs_repaired(const std::u32string& text) {
  std::u32string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = misread_run(text, at);
    const std::u32string run = text.substr(at, length);
    const bool is_wrong = length > 0 && length < text.size() && looks_misread(run);
    if (length == 0)
      result += text[at];
    else
      result += is_wrong ? repaired_encoding(run) : run;
    at += length == 0 ? 1 : length;
  }
  return result;
}

/// C1 control characters were meant as Windows-1252.
std::u32string with_controls_read(std::u32string text) {
  for (char32_t& c : text)
    if (c >= 0x80 && c <= 0x9F) c = decoded(CodePage::kWindows1252, static_cast<unsigned char>(c));
  return text;
}

std::u32string repaired_once(const std::u32string& text) {
  if (!looks_misread(text)) return text;
  for (const CodePage page : kCodePages)
    if (auto meant = reread(text, page)) return *meant;
  const std::u32string inside = with_runs_repaired(text);
  return inside != text ? inside : with_controls_read(text);
}

}  // namespace

std::u32string repaired_encoding(std::u32string text) {
  for (;;) {
    std::u32string next = repaired_once(text);
    if (next == text) return text;
    text = std::move(next);
  }
}

}  // namespace qingyin
