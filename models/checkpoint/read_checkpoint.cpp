#include "models/checkpoint/read_checkpoint.h"

#include <memory>
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

StoredTensor without_bytes(const TensorRecord& t) {
  return {.dtype = t.dtype, .shape = t.shape, .bytes = TensorBytes(0)};
}

void take_if(const SafetensorsFile& file, const TensorRecord& t, const TensorFilter& wanted,
             const TensorSink& take) {
  if (!wanted(t.name)) return;
  StoredTensor tensor = without_bytes(t);
  tensor.bytes = file.read(t);
  take(t.name, std::move(tensor));
}

void stream_safetensors(const std::filesystem::path& path, const TensorFilter& wanted,
                        const ShapeCheck& check, const TensorSink& take) {
  const SafetensorsFile file(path);
  Checkpoint shapes{.tensors = {}, .metadata = file.metadata()};
  for (const TensorRecord& t : file.tensors()) shapes.tensors.emplace(t.name, without_bytes(t));
  check(shapes);
  for (const TensorRecord& t : file.tensors()) take_if(file, t, wanted, take);
}

/// A shard and the tensors that the index places in it. The shard may hold more.
struct Shard {
  Shard(const std::filesystem::path& path, std::set<std::string> placed)
      : file(path), names(std::move(placed)) {}

  SafetensorsFile file;
  std::set<std::string> names;
};

/// Adds the shapes of a shard's tensors.
void add_shapes(const std::filesystem::path& index, const Shard& shard, Checkpoint& shapes) {
  std::size_t found = 0;
  for (const TensorRecord& t : shard.file.tensors()) {
    if (!shard.names.contains(t.name)) continue;
    ++found;
    shapes.tensors.emplace(t.name, without_bytes(t));
  }
  if (found == shard.names.size()) return;
  for (const std::string& name : shard.names)
    if (!shapes.tensors.contains(name))
      refuse_checkpoint(index, "places tensor " + excerpt(name) + " in the shard " +
                                   excerpt(shard.file.path().filename().string()) +
                                   ", which does not hold it");
}

std::map<std::string, std::set<std::string>> names_by_shard(const std::filesystem::path& index) {
  std::map<std::string, std::set<std::string>> names;
  const CheckpointFile file(index);
  if (file.size() > kLongestIndex) refuse_checkpoint(index, "the index is over 100 MB");
  for (auto& [tensor, shard] : parse_shard_index(file.read_text(0, file.size()), index))
    names[shard].insert(tensor);
  return names;
}

void stream_shards(const std::filesystem::path& index, const TensorFilter& wanted,
                   const ShapeCheck& check, const TensorSink& take) {
  std::vector<std::unique_ptr<const Shard>> shards;
  Checkpoint shapes;
  for (auto& [name, tensors] : names_by_shard(index)) {
    const std::filesystem::path path = index.parent_path() / name;
    if (!std::filesystem::exists(path))
      refuse_checkpoint(index, "names the shard " + excerpt(name) + ", which is missing");
    shards.push_back(std::make_unique<const Shard>(path, std::move(tensors)));
    add_shapes(index, *shards.back(), shapes);
  }
  check(shapes);
  for (const auto& shard : shards)
    for (const TensorRecord& t : shard->file.tensors())
      if (shard->names.contains(t.name)) take_if(shard->file, t, wanted, take);
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  return read_checkpoint(path, every_tensor);
}

Checkpoint read_checkpoint(const std::filesystem::path& path, const TensorFilter& wanted) {
  Checkpoint whole;
  stream_checkpoint(
      path, wanted, [&](const Checkpoint& shapes) { whole = shapes; },
      [&](const std::string& name, StoredTensor tensor) {
        whole.tensors.at(name) = std::move(tensor);
      });
  return whole;
}

void stream_checkpoint(const std::filesystem::path& path, const TensorFilter& wanted,
                       const ShapeCheck& check, const TensorSink& take) {
  const std::string extension = path.extension().string();
  if (extension == ".safetensors") return stream_safetensors(path, wanted, check, take);
  if (extension == ".json") return stream_shards(path, wanted, check, take);
  const CheckpointFile file(path);
  const std::string first = file.first_bytes(512);
  if (is_pth(first)) return stream_pth(file, wanted, check, take);
  const std::string_view kind = known_file_kind(first);
  refuse_checkpoint(path, "is " + (kind.empty() ? "of an unknown kind" : std::string(kind)) +
                              ", not a format that is read here: .safetensors, its .json index, "
                              "or .pth (a zip archive, or a legacy stream of pickles)");
}

}  // namespace qingyin
