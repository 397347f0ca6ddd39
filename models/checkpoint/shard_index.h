#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace qingyin {

/// Which shard holds which tensor: the `weight_map` of a `*.safetensors.index.json`.
/// Every shard is a plain name of a .safetensors file.
/// @param file    the index, stands in messages
/// @throws Error  kBadCheckpoint
std::map<std::string, std::string> parse_shard_index(std::string_view json,
                                                     const std::filesystem::path& file);

}  // namespace qingyin
