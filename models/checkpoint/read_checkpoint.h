#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "models/checkpoint/checkpoint_file.h"
#include "models/checkpoint/dtype.h"

namespace qingyin {

/// A tensor in memory: contiguous, row-major, little-endian.
struct StoredTensor {
  DType dtype;
  std::vector<std::int64_t> shape;
  TensorBytes bytes;
};

/// Everything that a checkpoint of any container holds.
struct Checkpoint {
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> metadata;  // safetensors only
};

/// Reads a checkpoint: `.safetensors`, the index of a sharded one (`.json`), or what torch.save
/// wrote (by its content; as data only). No other loader is ever tried on a refused file.
/// @throws Error  kModelMissing if there is no such file; kBadCheckpoint naming the file and its
///                defect
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace qingyin
