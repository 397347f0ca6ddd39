#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/atomic_file.h"
#include "models/checkpoint/checkpoint_file.h"
#include "models/checkpoint/dtype.h"

namespace qingyin {

/// Where a tensor lies in a file, and what it is. Data is contiguous, row-major, little-endian.
struct TensorRecord {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t offset;  // of the first byte, from the start of the file; any alignment
  std::uint64_t bytes;   // product of the shape times element_bytes(dtype)
};

struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<TensorRecord> tensors;  // in the order of their data
};

/// Checks and decodes the JSON of a safetensors header, which lies between byte 8 and `data_begin`
/// of a file of `file_size` bytes.
///
/// Stricter than the reference library (huggingface/safetensors, safetensors/src/tensor.rs):
/// duplicate keys are refused at every level, as are unknown fields, leading white space and more
/// than 8 dimensions.
/// @param file    stands in messages
/// @throws Error  kBadCheckpoint
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t file_size,
                                           const std::filesystem::path& file);

/// A safetensors file whose header was checked when it was opened; tensors are read one by one.
/// Const calls may overlap.
class SafetensorsFile {
 public:
  /// @throws Error kModelMissing if there is no such file; kBadCheckpoint if a rule is broken
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  const std::map<std::string, std::string>& metadata() const { return header_.metadata; }
  const std::vector<TensorRecord>& tensors() const { return header_.tensors; }

  /// The bytes of one of `tensors()`. @throws Error kBadCheckpoint if the file shrank meanwhile
  TensorBytes read(const TensorRecord& tensor) const;

 private:
  CheckpointFile file_;
  SafetensorsHeader header_;
};

/// A tensor to be written; `bytes` is contiguous, row-major, little-endian.
struct TensorToWrite {
  std::string name;
  DType dtype;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

/// Writes a safetensors file, atomically. Same tensors and metadata in any order: same bytes. The
/// data is laid out by falling element size, then by name, and begins on an 8-byte border.
/// @throws Error  kIo if it cannot be written; kInternal if a name repeats or a size does not fit
void write_safetensors_file(const std::filesystem::path& path, std::vector<TensorToWrite> tensors,
                            const std::map<std::string, std::string>& metadata,
                            Overwrite overwrite);

}  // namespace qingyin
