#pragma once

#include <filesystem>
#include <string>

#include "models/checkpoint/config_file.h"
#include "models/checkpoint/tensor_io.h"

namespace qingyin {

/// A published checkpoint in the diffusers layout: `model_index.json` and a folder for each
/// component (tokenizer, text_encoder, transformer, vae, scheduler), each with its config and with
/// its weights in one safetensors file or in shards, in any floating-point type.
class CheckpointFolder {
 public:
  /// Nothing but the index is read yet.
  /// @throws Error  kModelMissing if the folder or its index is not there; kBadCheckpoint if the
  ///                index is none
  explicit CheckpointFolder(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }

  /// "CogVideoXPipeline", "CogVideoXImageToVideoPipeline", ...
  const std::string& pipeline() const { return pipeline_; }

  /// The class that the index gives a component ("CogVideoXDPMScheduler").
  /// @throws Error kBadCheckpoint if the index does not have the component
  std::string class_of(const std::string& component) const;

  /// @throws Error  kModelMissing naming the file if it is not there; kBadCheckpoint
  ConfigFile config(const std::string& component) const;

  /// A file of a component ("tokenizer", "spiece.model").
  /// @throws Error kModelMissing naming it if it is not there
  std::filesystem::path file(const std::string& component, const std::string& name) const;

  /// The component's weights as they are stored, in mapped memory (`map_tensors`).
  /// @throws Error  kModelMissing if there are no weights; kBadCheckpoint naming what is wrong, a
  ///                missing shard too
  TensorMap tensors(const std::string& component) const;

  /// Throws kModelMissing naming every file that text-to-video needs and that is not there.
  void require_complete() const;

 private:
  std::filesystem::path weights_of(const std::string& component) const;

  std::filesystem::path path_;
  ConfigFile index_;
  std::string pipeline_;
};

}  // namespace qingyin
