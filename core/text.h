#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace qingyin {

/// True if the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

/// Where the first byte stands that is not well-formed UTF-8; npos if there is none.
std::size_t find_bad_utf8(std::string_view text);

/// Text of a stranger, safe in a message: in double quotes, control characters and bytes that are
/// not UTF-8 escaped, shortened to about `max_bytes` with "...".
std::string excerpt(std::string_view text, std::size_t max_bytes = 40);

/// A path as it may stand in a message: whole, control characters and bad bytes escaped.
std::string printable(const std::filesystem::path& path);

}  // namespace qingyin
