#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

#include "models/checkpoint/read_checkpoint.h"

namespace qingyin {

/// Whether a tensor of that name is to be read.
using TensorFilter = std::function<bool(std::string_view name)>;

inline bool every_tensor(std::string_view) { return true; }

/// Told of the type and shape of every tensor in a file; none of them has bytes.
using ShapeCheck = std::function<void(const Checkpoint& shapes)>;
/// Takes one tensor.
using TensorSink = std::function<void(const std::string& name, StoredTensor tensor)>;

/// Goes through a checkpoint tensor by tensor, so that a file need not be in memory as a whole:
/// `check` once, then `take` for each wanted tensor, in the order that is quickest to read. What
/// they throw ends it. The whole file is checked before the first tensor is read.
/// @throws Error  as `read_checkpoint`; also after tensors were taken
void stream_checkpoint(const std::filesystem::path& path, const TensorFilter& wanted,
                       const ShapeCheck& check, const TensorSink& take);

/// As `read_checkpoint`, for a file of which only a part is needed: type and shape of every tensor
/// are there, but the others have no bytes. The whole file is checked all the same.
/// @throws Error  as `read_checkpoint`
Checkpoint read_checkpoint(const std::filesystem::path& path, const TensorFilter& wanted);

}  // namespace qingyin
