#include "models/checkpoint/dtype.h"

#include <array>

namespace qingyin {
namespace {

struct DTypeRow {
  std::string_view name;
  std::uint64_t bytes;
};

// In the order of the enumeration.
constexpr std::array<DTypeRow, 15> kRows{{
    {"BOOL", 1},
    {"U8", 1},
    {"I8", 1},
    {"U16", 2},
    {"I16", 2},
    {"U32", 4},
    {"I32", 4},
    {"U64", 8},
    {"I64", 8},
    {"F8_E4M3", 1},
    {"F8_E5M2", 1},
    {"F16", 2},
    {"BF16", 2},
    {"F32", 4},
    {"F64", 8},
}};
static_assert(kRows.size() == static_cast<std::size_t>(DType::kF64) + 1);

}  // namespace

std::uint64_t element_bytes(DType dtype) { return kRows[static_cast<std::size_t>(dtype)].bytes; }

std::string_view name_of(DType dtype) { return kRows[static_cast<std::size_t>(dtype)].name; }

std::optional<DType> dtype_named(std::string_view name) {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (kRows[i].name == name) return static_cast<DType>(i);
  return std::nullopt;
}

}  // namespace qingyin
