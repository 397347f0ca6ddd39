#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/batch/item.h"

namespace qingyin::batch {

/// How a manifest is written.
enum class ManifestForm {
  kAuto,   // by its first character, and by a first line with a column "input"
  kJsonl,  // one object a line
  kCsv,    // RFC 4180 with a header
  kPaths   // one path a line, or each ended by a NUL
};

/// The items of a manifest. Keys and columns: input (required), output, prompt, label, ambience
/// (CSV: several parted by ';'), seed, steps, guidance, original, loudness; what a row leaves out
/// is as in `defaults`. A row that breaks a rule becomes an item with a fault (kUsage, reason
/// "bad_row") that names its line; the others are read on.
/// @param base    folder that relative inputs start from
/// @param name    stands in messages
/// @throws Error  kInvalidInput if the whole is unusable (too large, no column "input")
std::vector<Item> read_manifest(const std::string& text, ManifestForm form,
                                const std::filesystem::path& base, const std::string& name,
                                const ItemOptions& defaults);

}  // namespace qingyin::batch
