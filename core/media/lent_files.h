#pragma once

#include <filesystem>

namespace qingyin::media {

/// In a process that may open nothing: from now on this name means this open file. The descriptor
/// stays the caller's and must outlive all use.
void lend_file(const std::filesystem::path& path, int descriptor);

/// A new descriptor of the file that was lent under a name; -1 if none was.
int lent_copy(const std::filesystem::path& path);

}  // namespace qingyin::media
