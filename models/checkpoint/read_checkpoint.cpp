#include "models/checkpoint/read_checkpoint.h"

#include <set>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "models/checkpoint/partial_checkpoint.h"
#include "models/checkpoint/pth.h"
#include "models/checkpoint/safetensors.h"
#include "models/checkpoint/shard_index.h"

namespace qingyin {
namespace {

// An index names every tensor once; 100 MB is the limit of a safetensors header too.
constexpr std::uint64_t kLongestIndex = 100'000'000;

StoredTensor read_if(const SafetensorsFile& file, const TensorRecord& t,
                     const TensorFilter& wanted) {
  return {
      .dtype = t.dtype, .shape = t.shape, .bytes = wanted(t.name) ? file.read(t) : TensorBytes(0)};
}

Checkpoint read_one_safetensors(const std::filesystem::path& path, const TensorFilter& wanted) {
  const SafetensorsFile file(path);
  Checkpoint checkpoint{.tensors = {}, .metadata = file.metadata()};
  for (const TensorRecord& t : file.tensors())
    checkpoint.tensors.emplace(t.name, read_if(file, t, wanted));
  return checkpoint;
}

/// Adds the tensors that the index places in one shard. The shard may hold more.
void add_shard(const std::filesystem::path& index, const std::string& shard,
               const std::set<std::string>& names, const TensorFilter& wanted,
               Checkpoint& checkpoint) {
  const std::filesystem::path path = index.parent_path() / shard;
  if (!std::filesystem::exists(path))
    refuse_checkpoint(index, "names the shard " + excerpt(shard) + ", which is missing");
  const SafetensorsFile file(path);
  std::size_t found = 0;
  for (const TensorRecord& t : file.tensors()) {
    if (!names.contains(t.name)) continue;
    ++found;
    checkpoint.tensors.emplace(t.name, read_if(file, t, wanted));
  }
  if (found == names.size()) return;
  for (const std::string& name : names)
    if (!checkpoint.tensors.contains(name))
      refuse_checkpoint(index, "places tensor " + excerpt(name) + " in the shard " +
                                   excerpt(shard) + ", which does not hold it");
}

Checkpoint read_sharded(const std::filesystem::path& path, const TensorFilter& wanted) {
  std::map<std::string, std::set<std::string>> names_by_shard;
  {
    const CheckpointFile file(path);
    if (file.size() > kLongestIndex) refuse_checkpoint(path, "the index is over 100 MB");
    for (auto& [tensor, shard] : parse_shard_index(file.read_text(0, file.size()), path))
      names_by_shard[shard].insert(tensor);
  }
  Checkpoint checkpoint;
  for (const auto& [shard, names] : names_by_shard)
    add_shard(path, shard, names, wanted, checkpoint);
  return checkpoint;
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  return read_checkpoint(path, every_tensor);
}

Checkpoint read_checkpoint(const std::filesystem::path& path, const TensorFilter& wanted) {
  const std::string extension = path.extension().string();
  if (extension == ".safetensors") return read_one_safetensors(path, wanted);
  if (extension == ".json") return read_sharded(path, wanted);
  const CheckpointFile file(path);
  const std::string first = file.first_bytes(512);
  if (is_pth(first)) return read_pth(file, wanted);
  const std::string_view kind = known_file_kind(first);
  refuse_checkpoint(path, "is " + (kind.empty() ? "of an unknown kind" : std::string(kind)) +
                              ", not a format that is read here: .safetensors, its .json index, "
                              "or .pth (a zip archive, or a legacy stream of pickles)");
}

}  // namespace qingyin
