#include "pipeline/batch/plan.h"

#include <cstddef>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "core/text.h"
#include "pipeline/batch/name_form.h"

namespace qingyin::batch {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostListed = 10;

// Inputs by what their slots have in common; those with a fault take no slot.
using Shared = std::map<std::string, std::vector<std::size_t>>;

Shared shared_slots(const std::vector<PlannedItem>& planned, bool ignores_case) {
  Shared by_slot;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    if (planned[i].item.fault) continue;
    by_slot[name_key(planned[i].slot.native(), ignores_case)].push_back(i);
  }
  std::erase_if(by_slot, [](const auto& entry) { return entry.second.size() < 2; });
  return by_slot;
}

// Clips that differ in their extension alone keep it in the result's name.
void part_by_extension(std::vector<PlannedItem>& planned, bool ignores_case) {
  for (const auto& [slot, indices] : shared_slots(planned, ignores_case)) {
    for (const std::size_t i : indices) {
      Item& item = planned[i].item;
      if (!item.output.empty()) continue;
      const fs::path name = composed(item.input.filename().native()) + ".sound";
      planned[i].slot = safe_slot(item.folder / name);
    }
  }
}

void refuse_collisions(const std::vector<PlannedItem>& planned, bool ignores_case) {
  const Shared shared = shared_slots(planned, ignores_case);
  if (shared.empty()) return;
  std::string list;
  std::size_t count = 0;
  for (const auto& [slot, indices] : shared) {
    if (++count > kMostListed) break;
    list += "\n  " + printable(planned[indices.front()].slot) + ":";
    for (const std::size_t i : indices) list += " " + printable(planned[i].item.input);
  }
  throw Error(ErrorCode::kUsage,
              "several results would have one name; use {folder}, {parent} or {index} in "
              "--name-template, or name them in a manifest:" +
                  list,
              "collision");
}

// A result may not replace a clip: its name, with any extension, is no input's.
void refuse_inputs(const std::vector<PlannedItem>& planned, const fs::path& output_folder,
                   bool ignores_case) {
  const auto place_of = [](const fs::path& path) {
    std::error_code error;
    const auto place = fs::weakly_canonical(path, error);
    return error ? fs::absolute(path, error) : place;
  };
  const auto key_of = [&](const fs::path& place) { return name_key(place.native(), ignores_case); };
  std::set<std::string> inputs;
  for (const auto& entry : planned) {
    inputs.insert(key_of(place_of(entry.item.input).replace_extension()));
  }
  const fs::path root = place_of(output_folder.empty() ? fs::path(".") : output_folder);
  for (const auto& entry : planned) {
    if (entry.item.fault || !inputs.contains(key_of(root / entry.slot))) continue;
    throw Error(ErrorCode::kUsage,
                "the result of " + printable(entry.item.input) +
                    " would have the name of a clip; choose another folder or another template",
                "collision");
  }
}

PlannedItem planned_item(Item item, std::size_t index, const NameTemplate& names) {
  PlannedItem planned{.item = std::move(item), .slot = {}, .extension = names.extension()};
  Item& its = planned.item;
  try {
    if (its.output.empty()) {
      planned.slot = names.slot(its, index);
    } else {
      auto wanted = its.output;
      planned.extension = wanted.extension().string();
      planned.slot = safe_slot(wanted.replace_extension());
    }
  } catch (const Error& error) {
    if (!its.fault) its.fault = fault_of(error);
  }
  return planned;
}

}  // namespace

std::string standard_template() { return "{folder}/{name}.sound.{ext}"; }

std::vector<PlannedItem> plan_names(std::vector<Item> items, const std::string& names,
                                    const fs::path& output_folder) {
  const NameTemplate used(names.empty() ? standard_template() : names);
  std::vector<PlannedItem> planned;
  planned.reserve(items.size());
  for (auto& item : items) {
    planned.push_back(planned_item(std::move(item), planned.size() + 1, used));
  }
  const bool same_in_any_case = ignores_case(output_folder);
  if (names.empty()) part_by_extension(planned, same_in_any_case);
  refuse_collisions(planned, same_in_any_case);
  refuse_inputs(planned, output_folder, same_in_any_case);
  return planned;
}

}  // namespace qingyin::batch
