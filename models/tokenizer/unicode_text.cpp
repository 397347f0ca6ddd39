#include "models/tokenizer/unicode_text.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

utf8proc_category_t category_of(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

/// Property Cased, from the categories and the case mappings.
bool is_cased(char32_t c) {
  const auto category = category_of(c);
  const auto code = static_cast<utf8proc_int32_t>(c);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT || utf8proc_tolower(code) != code ||
         utf8proc_toupper(code) != code;
}

/// Property Case_Ignorable: marks, modifiers, formats, and what stands inside of words.
bool is_case_ignorable(char32_t c) {
  static constexpr std::u32string_view kInsideWords =
      U"'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";
  switch (category_of(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return kInsideWords.find(c) != std::u32string_view::npos;
  }
}

/// Condition Final_Sigma (Unicode, section 3.13): a cased letter before it and none behind it.
bool is_final(std::u32string_view text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  std::size_t behind = at + 1;
  while (behind < text.size() && is_case_ignorable(text[behind])) ++behind;
  return behind == text.size() || !is_cased(text[behind]);
}

std::u32string mapped(const std::u32string& text, utf8proc_option_t form) {
  const std::string bytes = to_utf8(text);
  utf8proc_uint8_t* result = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                   static_cast<utf8proc_ssize_t>(bytes.size()), &result,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | form));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(result, &std::free);
  require(size >= 0, ErrorCode::kInvalidInput, "the text cannot be normalised: it is too long");
  return from_utf8({reinterpret_cast<const char*>(result), static_cast<std::size_t>(size)});
}

}  // namespace

std::u32string from_utf8(std::string_view text) {
  const std::size_t bad = find_bad_utf8(text);
  require(bad == std::string_view::npos, ErrorCode::kInvalidInput,
          "the text " + excerpt(text) + " is not UTF-8: see its byte " + std::to_string(bad));
  std::u32string points;
  points.reserve(text.size());
  const auto* data = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (std::size_t i = 0; i < text.size();) {
    utf8proc_int32_t point = 0;
    const auto step =
        utf8proc_iterate(data + i, static_cast<utf8proc_ssize_t>(text.size() - i), &point);
    require(step > 0, ErrorCode::kInternal, "valid UTF-8 was not understood");
    points.push_back(static_cast<char32_t>(point));
    i += static_cast<std::size_t>(step);
  }
  return points;
}

std::string to_utf8(std::u32string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (const char32_t c : text) {
    utf8proc_uint8_t units[4];
    const auto size = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), units);
    bytes.append(reinterpret_cast<const char*>(units), static_cast<std::size_t>(size));
  }
  return bytes;
}

bool is_letter(char32_t c) {
  const auto category = category_of(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool is_number(char32_t c) {
  const auto category = category_of(c);
  return category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO;
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

std::u32string composed(const std::u32string& text) {
  return mapped(text, static_cast<utf8proc_option_t>(0));
}

std::u32string compatible(char32_t c) { return mapped(std::u32string(1, c), UTF8PROC_COMPAT); }

std::u32string lower_case(std::u32string_view text) {
  std::u32string lower;
  lower.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == U'\u0130')
      lower += U"i\u0307";
    else if (text[i] == U'\u03A3')
      lower += is_final(text, i) ? U'\u03C2' : U'\u03C3';
    else
      lower += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(text[i])));
  }
  return lower;
}

std::u32string upper_case(std::u32string_view text) {
  std::u32string upper;
  for (const char32_t c : text) {
    if (c == U'\u00DF')
      upper += U"SS";
    else
      upper += static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
  }
  return upper;
}

}  // namespace qingyin
