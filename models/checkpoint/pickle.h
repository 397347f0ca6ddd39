#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/dtype.h"

namespace qingyin {

/// A storage that a pickle names: `numel` elements kept outside of the pickle under `key`.
struct PickledStorage {
  std::string key;  // decimal digits
  DType dtype;
  std::uint64_t numel;
};

/// A view of a storage, in elements. It lies inside the storage, whatever its strides are.
struct PickledTensor {
  std::size_t storage;  // index into PickledObject::storages
  std::uint64_t offset;
  std::vector<std::int64_t> sizes, strides;
};

/// How storages may be named in a pickle.
enum class PersistentIds {
  kNone,    // not at all
  kZip,     // ('storage', class, key, location, numel)
  kLegacy,  // the same and None
};

enum class PickleKind : std::uint8_t {
  kNone,
  kBool,
  kInt,
  kMagic,  // the ten bytes of the legacy stream's magic number
  kFloat,
  kString,
  kBytes,
  kList,
  kTuple,
  kDict,
  kOrderedDict,
  kGlobal,
  kStorage,
  kTensor,
  kSize,
  kNumpyDtype,
  kNumpyScalar,
};

/// One value. `payload` is the integer itself, the bits of the double, or an index into the tables
/// of the object, by kind.
struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  std::uint8_t depth = 0;  // at least so many levels of values are inside this one
  std::int64_t payload = 0;
};

/// The data of one pickle. Nothing in it was called or built. Values refer to each other by index.
struct PickledObject {
  std::uint32_t root = 0;
  std::deque<PickleValue> values;
  std::deque<std::string> texts;                 // strings, bytes
  std::deque<std::vector<std::uint32_t>> items;  // lists, tuples; dicts as key, value, key, ...
  std::vector<PickledStorage> storages;
  std::vector<PickledTensor> tensors;

  const PickleValue& at(std::uint32_t value) const { return values[value]; }
  const std::string& text(const PickleValue& v) const {
    return texts[static_cast<std::size_t>(v.payload)];
  }
  const std::vector<std::uint32_t>& items_of(const PickleValue& v) const {
    return items[static_cast<std::size_t>(v.payload)];
  }
};

/// Reads one pickle of protocol 2 to 4 as data: a short list of opcodes, a short list of globals
/// that are matched by name and never looked up, and limits on everything.
/// @param bytes     begins with the pickle
/// @param consumed  set to the length of the pickle
/// @param file      stands in messages
/// @throws Error    kBadCheckpoint
PickledObject read_pickle(std::string_view bytes, PersistentIds ids,
                          const std::filesystem::path& file, std::size_t& consumed);

/// The tensors below the root, which must be a dict, by the dict keys and list indexes that lead to
/// them, joined with dots. The values are indexes into `tensors`.
/// @throws Error kBadCheckpoint if two have one name, or something else than data is in the tree
std::map<std::string, std::size_t> named_tensors(const PickledObject& object,
                                                 const std::filesystem::path& file);

/// Throws kBadCheckpoint unless everything below the root is free of cycles, at most 64 levels deep
/// and at most a million values large once shared values are counted each time.
void check_extent(const PickledObject& object, const std::filesystem::path& file);

}  // namespace qingyin
