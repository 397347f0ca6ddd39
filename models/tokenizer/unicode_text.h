#pragma once

#include <string>
#include <string_view>

namespace qingyin {

/// Code points of a text. @throws Error kInvalidInput if it is not UTF-8
std::u32string from_utf8(std::string_view text);
std::string to_utf8(std::u32string_view text);

/// The general categories L*, and N*.
bool is_letter(char32_t c);
bool is_number(char32_t c);
/// What Python's str.split takes as white space: Unicode's, and U+001C to U+001F.
bool is_space(char32_t c);

/// Canonical composition (NFC).
std::u32string composed(const std::u32string& text);
/// Compatibility composition (NFKC) of one character.
std::u32string compatible(char32_t c);

/// Unicode's full lower-casing: İ becomes two characters, Σ at the end of a word becomes ς.
std::u32string lower_case(std::u32string_view text);
/// The simple upper-case form; ß becomes SS.
std::u32string upper_case(std::u32string_view text);

}  // namespace qingyin
