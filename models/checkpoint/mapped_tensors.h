#pragma once

#include <filesystem>

#include "models/checkpoint/tensor_io.h"

namespace qingyin {

/// Every tensor of a safetensors file, or of a sharded checkpoint by its `.json` index, in memory
/// that is mapped from the file: nothing is read before it is used, and the system may drop what
/// was not written. The mapping is private: writing to a tensor leaves the file as it is.
///
/// A tensor whose data does not lie on a multiple of its element size is copied instead. A file
/// that another program cuts short while it is mapped ends this program, as with every mapping:
/// files that strangers can write to are better read with `read_tensors`.
/// @throws Error  kModelMissing if there is no such file; kBadCheckpoint naming the file and its
///                defect
TensorMap map_tensors(const std::filesystem::path& path);

}  // namespace qingyin
