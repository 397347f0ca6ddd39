#include "models/checkpoint/mapped_tensors.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <set>
#include <string>

#include "core/text.h"
#include "models/checkpoint/safetensors.h"
#include "models/checkpoint/shard_index.h"

namespace qingyin {
namespace {

constexpr std::uint64_t kLongestIndex = 100'000'000;

/// A whole file in memory; the last tensor in it unmaps it.
std::shared_ptr<std::byte[]> map_file(const std::filesystem::path& path, std::uint64_t& size) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) refuse_checkpoint(path, "cannot be opened for reading");
  struct stat status = {};
  const bool is_known = ::fstat(descriptor, &status) == 0;
  size = is_known ? static_cast<std::uint64_t>(status.st_size) : 0;
  void* const start = is_known ? ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                        MAP_PRIVATE | MAP_NORESERVE, descriptor, 0)
                               : MAP_FAILED;
  ::close(descriptor);
  if (start == MAP_FAILED) refuse_checkpoint(path, "cannot be mapped into memory");
  return {static_cast<std::byte*>(start), [length = size](std::byte* p) { ::munmap(p, length); }};
}

/// Adds the tensors of one file; with names, only those. Returns how many were added.
std::size_t add_mapped(const std::filesystem::path& path, const std::set<std::string>* wanted,
                       TensorMap& tensors) {
  const SafetensorsFile file(path);
  std::uint64_t size = 0;
  const std::shared_ptr<std::byte[]> mapping = map_file(path, size);
  std::size_t added = 0;
  for (const TensorRecord& t : file.tensors()) {
    if (wanted != nullptr && !wanted->contains(t.name)) continue;
    if (t.offset + t.bytes > size) refuse_checkpoint(path, "became shorter while it was read");
    StoredTensor stored{.dtype = t.dtype, .shape = t.shape, .bytes = TensorBytes(0)};
    const bool is_aligned = t.offset % element_bytes(t.dtype) == 0;
    stored.bytes = is_aligned && t.dtype != DType::kBool
                       ? TensorBytes({mapping, mapping.get() + t.offset}, t.bytes)
                       : file.read(t);
    tensors.emplace(t.name, to_tensor(stored));
    ++added;
  }
  return added;
}

void add_shard(const std::filesystem::path& index, const std::string& shard,
               const std::set<std::string>& names, TensorMap& tensors) {
  const std::filesystem::path path = index.parent_path() / shard;
  if (!std::filesystem::exists(path))
    refuse_checkpoint(index, "names the shard " + excerpt(shard) + ", which is missing");
  if (add_mapped(path, &names, tensors) == names.size()) return;
  for (const std::string& name : names)
    if (!tensors.contains(name))
      refuse_checkpoint(index, "places tensor " + excerpt(name) + " in the shard " +
                                   excerpt(shard) + ", which does not hold it");
}

}  // namespace

TensorMap map_tensors(const std::filesystem::path& path) {
  TensorMap tensors;
  if (path.extension() != ".json") {
    add_mapped(path, nullptr, tensors);
    return tensors;
  }
  std::map<std::string, std::set<std::string>> names_by_shard;
  const CheckpointFile file(path);
  if (file.size() > kLongestIndex) refuse_checkpoint(path, "the index is over 100 MB");
  for (auto& [tensor, shard] : parse_shard_index(file.read_text(0, file.size()), path))
    names_by_shard[shard].insert(tensor);
  for (const auto& [shard, names] : names_by_shard) add_shard(path, shard, names, tensors);
  return tensors;
}

}  // namespace qingyin
