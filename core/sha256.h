#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace qingyin {

/// SHA-256 of the bytes, 64 hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// SHA-256 of a file's bytes, read in pieces. @throws Error kInvalidInput if it cannot be read
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace qingyin
