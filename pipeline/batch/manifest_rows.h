#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/batch/manifest.h"

namespace qingyin::batch {

/// One row of a manifest, not yet judged: each key once or more, each with its values.
struct ManifestRow {
  std::size_t line = 0;
  std::vector<std::pair<std::string, std::vector<std::string>>> cells = {};
  std::string fault = {};  // why it cannot even be split
};

/// Cuts a text into rows. @throws Error kInvalidInput
std::vector<ManifestRow> split_manifest(const std::string& text, ManifestForm form,
                                        const std::string& name);

}  // namespace qingyin::batch
