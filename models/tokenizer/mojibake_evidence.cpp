#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>

#include "models/tokenizer/mojibake.h"
#include "models/tokenizer/unicode_text.h"

namespace qingyin {
namespace {

// Kinds of characters that misread UTF-8 is made of. Names as in ftfy/badness.py.
enum Kind : std::uint32_t {
  kCommon = 1U << 0,
  kC1 = 1U << 1,
  kBad = 1U << 2,  // hardly used otherwise
  kLaw = 1U << 3,
  kCurrency = 1U << 4,
  kStart = 1U << 5,  // punctuation before a word
  kEnd = 1U << 6,
  kNumeric = 1U << 7,
  kFace = 1U << 8,   // kaomoji
  kUpper = 1U << 9,  // accented Latin
  kLower = 1U << 10,
  kUpperOther = 1U << 11,  // Greek, Cyrillic
  kLowerOther = 1U << 12,
  kBox = 1U << 13,
  kAsciiUpper = 1U << 14,
  kAsciiLower = 1U << 15,
  kWord = 1U << 16,
  kSpace = 1U << 17,
  kAnything = 1U << 18,
  kNoAsciiLetter = 1U << 19,
  kBegin = 1U << 20,  // of the text; takes no character
};

struct KindRow {
  Kind kind;
  std::u32string_view characters;  // "a-z" is a range
};

constexpr KindRow kKindRows[] = {
    {kCommon, U"\u00A0\u00AD\u00B7\u00B4\u2013\u2014\u2015\u2026\u2019"},
    {kC1, U"\u0080-\u009F"},
    {kBad,
     U"\u00A6\u00A4\u00A8\u00AC\u00AF\u00B8\u0192\u02C6\u02C7\u02D8\u02DB\u02DC\u2020\u2021\u2030"
     U"\u2310\u25CA\uFFFD\u00AA\u00BA"},
    {kLaw, U"¶§"},
    {kCurrency, U"¢£¥\u20A7€"},
    {kStart, U"¡«¿©\u0384\u0385\u2018\u201A\u201C\u201E\u2022\u2039\uF8FF"},
    {kEnd, U"®»\u02DD\u201D\u203A\u2122"},
    {kNumeric,
     U"²³¹±¼½¾×µ÷\u2044\u2202\u2206\u220F\u2211\u221A\u221E\u2229\u222B\u2248\u2260\u2261"
     U"\u2264\u2265\u2116"},
    {kFace, U"Ò-ÖÙ-Üò-öø-üŐŌŪŲ°"},
    {kUpper, U"À-ÑØÜÝĂĀĄĆČĎĐĘĚĒĖĞĢİĪĶĹĽŁĻŃŇŅŒŘŚŞŠŢŤŮŰŸŹŻŽҐ"},
    {kLower, U"ßà-ñăąāćčďđęěēėğģįīķĺľłļœŕśşšťüźżžґ\uFB01\uFB02"},
    {kUpperOther, U"ÞΑ-ΩΆΈΉΊΌΎΏΪΫЁ-Я"},
    {kLowerOther, U"α-ωάέήίΰа-џ"},
    {kBox, U"│┌┐┘├┤┬┼═-╬▀▄█▌▐░▒▓"},
    {kAsciiUpper, U"A-Z"},
    {kAsciiLower, U"a-z"},
};

std::map<char32_t, std::uint32_t> read_kinds() {
  std::map<char32_t, std::uint32_t> kinds;
  for (const auto& [kind, row] : kKindRows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool is_range = i + 2 < row.size() && row[i + 1] == U'-';
      const char32_t last = is_range ? row[i + 2] : row[i];
      for (char32_t c = row[i]; c <= last; ++c) kinds[c] |= kind;
      if (is_range) i += 2;
    }
  return kinds;
}

std::uint32_t kinds_of(char32_t c) {
  static const std::map<char32_t, std::uint32_t> table = read_kinds();
  const auto found = table.find(c);
  std::uint32_t kinds = found == table.end() ? 0 : found->second;
  if (c == U'_' || is_letter(c) || is_number(c)) kinds |= kWord;
  if (is_space(c)) kinds |= kSpace;
  if (c != U'\n') kinds |= kAnything;
  if ((kinds & (kAsciiUpper | kAsciiLower)) == 0) kinds |= kNoAsciiLetter;
  return kinds;
}

/// One place of a rule: a character of one of the kinds, or one of these.
struct Place {
  std::uint32_t kinds = 0;
  std::u32string_view characters = {};
};
using Rule = std::array<Place, 5>;  // empty places at the end

constexpr std::uint32_t kAccented = kLower | kUpper;
constexpr std::uint32_t kSigns = kBox | kStart | kEnd | kCurrency | kNumeric | kLaw;
constexpr std::uint32_t kArabicKinds = kCommon | kCurrency | kBad | kNumeric | kStart;
constexpr std::u32string_view kArabicSigns = U"ŸŠ®°µ»";
constexpr std::uint32_t kTrail = kC1 | kBad | kStart | kEnd | kCurrency;

// Neighbours that give misread UTF-8 away.
constexpr Rule kRules[] = {
    {{{kC1}}},
    {{{kBad | kAccented | kSigns}, {kBad}}},
    {{{kAsciiLower | kAsciiUpper}, {kLowerOther | kUpperOther}, {kBad}}},
    {{{kBad}, {kAccented | kSigns}}},
    {{{kLower | kLowerOther | kBox | kEnd | kCurrency | kNumeric}, {kUpper}}},
    {{{kBox | kEnd | kCurrency | kNumeric}, {kLower}}},
    {{{kLower | kBox | kEnd}, {kCurrency}}},
    {{{kSpace}, {kUpper}, {kCurrency}}},
    {{{kUpper | kBox}, {kNumeric | kLaw}}},
    {{{kAccented | kBox | kCurrency | kEnd}, {kStart}, {kNumeric}}},
    {{{kAccented | kCurrency | kNumeric | kBox | kLaw}, {kEnd}, {kStart}}},
    {{{kCurrency | kNumeric | kBox}, {kStart}}},
    {{{kAsciiLower}, {kUpper}, {kStart | kCurrency}}},
    {{{kBox}, {kFace}}},
    {{{kAccented | kCurrency | kNumeric | kStart | kEnd | kLaw}, {kBox}}},
    {{{kBox}, {kEnd}}},
    {{{kAccented}, {kStart | kEnd}, {kWord}}},
    {{{0, U"Œœ"}, {kNoAsciiLetter}}},
    {{{kUpper}, {0, U"°"}}},
    // Windows-1252: two bytes, then Arabic, then South Asian alphabets.
    {{{0, U"ÂÃÎÐ"}, {kStart | kEnd, U"€œŠš¢£Ÿž\u00A0\u00AD®©°·»–—´"}}},
    {{{0, U"×"}, {0, U"²³"}}},
    {{{0, U"ØÙ"}, {kArabicKinds, kArabicSigns}, {0, U"ØÙ"}, {kArabicKinds, kArabicSigns}}},
    {{{0, U"à"}, {0, U"²µ¹¼½¾"}}},
    // Mac Roman.
    {{{0, U"√"}, {0, U"±∂†≠®™´≤≥¥µø"}}},
    {{{0, U"≈"}, {0, U"°¢"}}},
    {{{0, U"‚"}, {0, U"Ä"}, {0, U"ìîïòôúùû†°¢π"}}},
    {{{0, U"‚"}, {0, U"âó"}, {0, U"àä°ê"}}},
    // Windows-1251: general punctuation; Latin-1 and Cyrillic; the latter misread twice.
    {{{0, U"в"}, {0, U"Ђ"}}},
    {{{0, U"ВГРС"}, {kTrail, U"°µ"}, {0, U"ВГРС"}}},
    // Lone Ã and Â, whose second character became a blank.
    {{{0, U"Ã"}, {0, U"\u00A0¡"}}},
    {{{kAsciiLower}, {0, U"ÃÂ"}, {0, U" "}}},
    {{{kAsciiLower}, {kSpace}, {0, U"ÃÂ"}, {0, U" "}}},
    {{{kBegin}, {0, U"ÃÂ"}, {0, U" "}}},
    {{{kAsciiLower | kEnd, U".,?!"}, {0, U"Â"}, {kStart | kEnd, U" "}}},
    // Windows-1253 and Windows-1257.
    {{{0, U"β"}, {0, U"€"}, {0, U"™\u00A0Ά\u00AD®°"}}},
    {{{0, U"ΒΓΞΟ"}, {kTrail, U"°"}, {0, U"ΒΓΞΟ"}}},
    {{{0, U"ā"}, {0, U"€"}}},
};
// Cyrillic misread twice: five given characters, then a Latin letter or a blank.
constexpr std::u32string_view kTwiceCyrillic = U"ГўВЂВ";

bool fits(const Place& place, char32_t c, std::uint32_t kinds) {
  return (place.kinds & kinds) != 0 || place.characters.find(c) != std::u32string_view::npos;
}

bool fits_twice_cyrillic(std::u32string_view text, std::size_t at) {
  constexpr std::size_t kBehind = kTwiceCyrillic.size() + 1;
  return text.substr(at).starts_with(kTwiceCyrillic) && at + kBehind < text.size() &&
         text[at + kBehind - 1] != U'\n' &&
         (text[at + kBehind] == U' ' ||
          (kinds_of(text[at + kBehind]) & (kAsciiLower | kAsciiUpper)) != 0);
}

}  // namespace

bool looks_misread(std::u32string_view text) {
  std::u32string kinds;  // of each character, as bits
  for (const char32_t c : text) kinds += static_cast<char32_t>(kinds_of(c));
  const auto fits_at = [&](const Rule& rule, std::size_t at) {
    for (const Place& place : rule) {
      if (place.kinds == 0 && place.characters.empty()) return true;
      if (place.kinds == kBegin) {
        if (at != 0) return false;
        continue;
      }
      if (at == text.size() || !fits(place, text[at], kinds[at])) return false;
      ++at;
    }
    return true;
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const Rule& rule : kRules)
      if (fits_at(rule, at)) return true;
    if (fits_twice_cyrillic(text, at)) return true;
  }
  return false;
}

}  // namespace qingyin
