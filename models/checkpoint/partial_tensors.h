#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "models/checkpoint/partial_checkpoint.h"
#include "models/checkpoint/tensor_io.h"

namespace qingyin {

/// As `read_tensors`, for a file of which only a part is needed: the others are there without
/// memory, on the meta device, so that their names and shapes can be checked.
/// @throws Error  kModelMissing, kBadCheckpoint
TensorMap read_tensors(const std::filesystem::path& path, const TensorFilter& wanted);

/// As `stream_checkpoint` with tensors: `check` gets all of them without memory, on the meta
/// device.
/// @throws Error  kModelMissing, kBadCheckpoint; what `check` and `take` throw
void stream_tensors(const std::filesystem::path& path, const TensorFilter& wanted,
                    const std::function<void(const TensorMap& shapes)>& check,
                    const std::function<void(const std::string& name, at::Tensor)>& take);

}  // namespace qingyin
