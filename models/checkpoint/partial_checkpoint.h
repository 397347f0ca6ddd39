#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "models/checkpoint/read_checkpoint.h"

namespace qingyin {

/// Whether a tensor of that name is to be read.
using TensorFilter = std::function<bool(std::string_view name)>;

inline bool every_tensor(std::string_view) { return true; }

/// As `read_checkpoint`, for a file of which only a part is needed: type and shape of every tensor
/// are there, but the others have no bytes. The whole file is checked all the same.
/// @throws Error  as `read_checkpoint`
Checkpoint read_checkpoint(const std::filesystem::path& path, const TensorFilter& wanted);

}  // namespace qingyin
