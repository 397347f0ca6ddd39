#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace qingyin {

/// Encodings with one byte a character, as which UTF-8 is misread. Bytes below 0x80 are ASCII.
enum class CodePage {
  kLatin1,
  kWindows1252,
  kWindows1251,
  kWindows1250,
  kWindows1253,
  kWindows1254,
  kWindows1257,
  kIso8859_2,
  kMacRoman,
  kCp437,
};
inline constexpr std::array<CodePage, 10> kCodePages{
    CodePage::kLatin1,      CodePage::kWindows1252, CodePage::kWindows1251, CodePage::kWindows1250,
    CodePage::kWindows1253, CodePage::kWindows1254, CodePage::kWindows1257, CodePage::kIso8859_2,
    CodePage::kMacRoman,    CodePage::kCp437};

/// Windows pages leave some bytes undefined; here they are the control characters of that number,
/// as browsers read them.
bool is_windows(CodePage page);

char32_t decoded(CodePage page, unsigned char byte);

/// The bytes of `text`; none if a character is not in the page. In Windows pages U+FFFD is the byte
/// 0x1A: a byte that somebody lost.
std::optional<std::string> encoded(CodePage page, std::u32string_view text);

}  // namespace qingyin
