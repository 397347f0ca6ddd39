#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/batch/item.h"
#include "pipeline/batch/name_template.h"

namespace qingyin::batch {

/// An item with the place of its result.
struct PlannedItem {
  Item item;
  std::filesystem::path slot;  // below the output folder, without extension
  std::string extension;       // empty: that of the clip's container
};

/// The template that is used where none is asked for.
std::string standard_template();

/// Names every result. Two results never share a name, nor differ in Unicode's normal form alone,
/// nor in case where the output folder ignores it: with the standard template, clips that
/// differ in their extension alone keep it (`a.mp4.sound.mp4`, `a.mov.sound.mov`).
/// @param names  empty: the standard template
/// @throws Error kUsage listing the inputs whose results would share a name, or that would
///               overwrite an input
std::vector<PlannedItem> plan_names(std::vector<Item> items, const std::string& names,
                                    const std::filesystem::path& output_folder);

}  // namespace qingyin::batch
