#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "models/checkpoint/pickle.h"

namespace qingyin {

std::uint32_t add_value(PickledObject& object, PickleKind kind, std::int64_t payload);
std::uint32_t add_items(PickledObject& object, PickleKind kind, std::vector<std::uint32_t> items);

/// What REDUCE of `callee` with `arguments` stands for. Only the calls that torch.save writes are
/// known, each with its exact arguments. @throws Error kBadCheckpoint
std::uint32_t reduce_global(PickledObject& object, std::uint32_t callee, std::uint32_t arguments,
                            const std::filesystem::path& file);

/// Checks that BUILD may be ignored: an OrderedDict's `_metadata` or a numpy dtype's state.
/// @throws Error kBadCheckpoint
void check_build(const PickledObject& object, std::uint32_t target, std::uint32_t state,
                 const std::filesystem::path& file);

/// The index of the storage that a persistent id names; a new key is added.
/// @throws Error kBadCheckpoint
std::size_t storage_of(PickledObject& object, std::uint32_t id, PersistentIds ids,
                       std::map<std::string, std::size_t>& storages_by_key,
                       const std::filesystem::path& file);

}  // namespace qingyin
