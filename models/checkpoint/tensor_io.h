#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>

#include "core/atomic_file.h"
#include "models/checkpoint/read_checkpoint.h"

namespace qingyin {

/// Tensors by their name in the file, on the CPU, each in memory of its own.
using TensorMap = std::map<std::string, at::Tensor>;

/// Tensors of a checkpoint and the free text stored beside them.
struct TensorsAndMetadata {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
};

/// A tensor that lives in `stored`'s bytes. BOOL bytes other than 0 and 1 become 1.
at::Tensor to_tensor(const StoredTensor& stored);

/// Every tensor of a checkpoint of any accepted container (`read_checkpoint`).
/// @throws Error  kModelMissing, kBadCheckpoint
TensorMap read_tensors(const std::filesystem::path& path);

/// The same for a safetensors file, with its metadata. @throws Error kModelMissing, kBadCheckpoint
TensorsAndMetadata read_safetensors(const std::filesystem::path& path);

/// Writes a safetensors file, atomically; the same content gives the same bytes.
/// @param tensors  of any device and stride
/// @throws Error   kIo if it cannot be written; kInternal if a dtype has no name in the format
void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                       const std::map<std::string, std::string>& metadata, Overwrite overwrite);

/// The same map with every floating-point tensor (float16, bfloat16, float8, ...) in type `wanted`;
/// integers and bools stay as they are.
TensorMap with_float_type(TensorMap tensors, at::ScalarType wanted);

}  // namespace qingyin
