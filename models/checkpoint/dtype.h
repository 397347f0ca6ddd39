#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace qingyin {

/// Element types of stored tensors, in the words of the safetensors format.
enum class DType {
  kBool,
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kU64,
  kI64,
  kF8E4M3,  // finite only: no infinities, one NaN
  kF8E5M2,
  kF16,
  kBF16,
  kF32,
  kF64,
};

/// Bytes of one element.
std::uint64_t element_bytes(DType dtype);

/// The name in a safetensors header: "F32", "BF16", "F8_E4M3", ...
std::string_view name_of(DType dtype);

/// The type with that exact name; none if it is not one that this project reads.
std::optional<DType> dtype_named(std::string_view name);

}  // namespace qingyin
