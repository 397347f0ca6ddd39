#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "models/checkpoint/dtype.h"

namespace qingyin {

enum class GlobalRole {
  kOrderedDict,
  kRebuildTensor,
  kRebuildParameter,
  kStorageClass,
  kTorchSize,
  kTorchDtype,
  kNumpyDtype,
  kNumpyScalar,
  kEncode,
};

/// A Python name that a pickle may mention, and the one use that is made of it.
struct PickleGlobal {
  std::string_view module, name;
  GlobalRole role;
  DType dtype = DType::kF32;  // of a storage class
};

/// The index of the global with exactly these names; none if it is not allowed.
std::optional<std::size_t> find_global(std::string_view module, std::string_view name);

const PickleGlobal& global_at(std::size_t index);

/// "INST", "opcode 0xff": for messages.
std::string opcode_name(unsigned char opcode);

}  // namespace qingyin
