#pragma once

#include <filesystem>
#include <vector>

namespace qingyin::batch {

/// Removes what killed processes left half-written below a folder: regular files of the names that
/// AtomicFile gives (`.NAME.PID.RANDOM.part`) whose process is gone, or is a later one with the
/// same number. Links are not followed. Returns what was removed.
std::vector<std::filesystem::path> sweep_leftovers(const std::filesystem::path& folder);

}  // namespace qingyin::batch
