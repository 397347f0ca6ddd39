#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/batch/item.h"

namespace qingyin::batch {

/// What a batch is asked to work on.
struct Source {
  std::string what;  // folder, clip, glob pattern, manifest (.jsonl, .ndjson, .csv, .txt, .list)
  bool is_recursive = false;
  std::filesystem::path output_folder;  // never searched
};

struct Expansion {
  std::vector<Item> items;                      // by path, those of a manifest in its order
  std::vector<std::filesystem::path> left_out;  // companions of clips: texts, pictures, sounds
};

/// The clips that a source stands for. A folder gives every file that is not hidden, whatever its
/// name says, except companions (`left_out`); links that lead out of the folder become items with a
/// fault, folders behind links are not entered.
/// @throws Error  kInvalidInput if there is nothing of that name; kUsage if the results would lie
///                in the folder that the clips come from
Expansion expand(const Source& source, const ItemOptions& defaults);

}  // namespace qingyin::batch
