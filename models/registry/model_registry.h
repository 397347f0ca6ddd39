#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qingyin {

/// One file of weights that a folder's manifest lists.
struct ModelFile {
  std::string name;     // what the program asks for: "foley", "vocoder", ...
  std::string file;     // plain name of a .safetensors file in the folder
  std::string sha256;   // of the file's bytes, 64 hexadecimal digits
  std::uint64_t bytes;  // of the file
  std::string licence;  // SPDX identifier

  bool operator==(const ModelFile&) const = default;
};

/// The weights in one folder, as its `manifest.json` lists them:
///   {"schema": "qingyin.models/1",
///    "models": [{"name": .., "file": .., "sha256": .., "bytes": .., "licence": ..}]}
/// Const after construction; calls may overlap.
class ModelRegistry {
 public:
  /// @throws Error  kModelMissing if the folder has no manifest; kBadCheckpoint if it breaks a rule
  explicit ModelRegistry(std::filesystem::path folder);

  const std::filesystem::path& folder() const { return folder_; }
  const std::vector<ModelFile>& models() const { return models_; }

  /// @throws Error kModelMissing naming the models that are there
  const ModelFile& find(std::string_view name) const;

  /// The model's file, after its size and SHA-256 were found to be those of the manifest.
  /// @throws Error  kModelMissing if it is not there; kBadCheckpoint if it is another file
  std::filesystem::path verified_path(std::string_view name) const;

 private:
  std::filesystem::path folder_;
  std::vector<ModelFile> models_;
};

/// The folder of weights: `wanted` if it is given, else the environment variable QINGYIN_MODELS,
/// else the first with a manifest of `../share/qingyin/models` beside the program and the source
/// tree's `models/bundled`.
/// @throws Error kModelMissing naming every place looked at
std::filesystem::path find_models_folder(const std::filesystem::path& wanted = {});

/// Writes `manifest.json` for every .safetensors file of a folder: its stem is its name.
/// @throws Error kIo
void write_model_manifest(const std::filesystem::path& folder, const std::string& licence);

}  // namespace qingyin
