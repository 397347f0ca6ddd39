#pragma once

#include <filesystem>
#include <string>

namespace qingyin {

/// SHA-256 of a file's bytes, remembered by path, size and time of change in
/// $XDG_CACHE_HOME/qingyin/digests.json, so that gigabytes are read once. A record that cannot be
/// read or written is no error. @throws Error kInvalidInput if the file cannot be read
std::string remembered_sha256(const std::filesystem::path& path);

}  // namespace qingyin
