#pragma once

#include <filesystem>

#include "models/checkpoint/partial_checkpoint.h"
#include "models/checkpoint/tensor_io.h"

namespace qingyin {

/// As `read_tensors`, for a file of which only a part is needed: the others are there without
/// memory, on the meta device, so that their names and shapes can be checked.
/// @throws Error  kModelMissing, kBadCheckpoint
TensorMap read_tensors(const std::filesystem::path& path, const TensorFilter& wanted);

}  // namespace qingyin
