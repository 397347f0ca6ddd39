#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audio_gen/mmaudio/mmaudio_networks.h"
#include "understanding/visual_features.h"

namespace qingyin::cli {

/// Sizes and weights of an MMAudio model on this machine.
struct MmaudioModel {
  std::string name;  // "mmaudio:small_16k"
  mmaudio::ModelConfig sound;
  ClipConfig clip;
  SynchformerConfig synchformer;
  std::map<std::string, std::filesystem::path> files;  // by role, see KnownFile
  std::vector<std::string> licences;
};

/// A published model ("mmaudio:small_16k"), its files below `folder` or in the cache that is shared
/// with Hugging Face's tools; or "mmaudio:custom", which `folder` describes in `mmaudio.json`
/// (docs/mmaudio.md).
/// @throws Error  kUsage for a name that is not known; kModelMissing with every file that is
/// missing
///                or wrong and the command that mends it; kBadCheckpoint for a description that
///                breaks a rule
MmaudioModel find_mmaudio(const std::string& name, const std::filesystem::path& folder);

/// Sizes of a published model without its files.
MmaudioModel sizes_of_mmaudio(const std::string& name);

/// CLIP alone: its sizes and files.
struct ClipModel {
  ClipConfig config;
  std::filesystem::path weights, vocabulary;
};

/// CLIP in a folder, or one level below it: `open_clip_pytorch_model` (.bin, .safetensors) and
/// `merges.txt`, `tokenizer.json` or `bpe_simple_vocab_16e6.txt.gz`. Other sizes than those of the
/// published model stand in `mmaudio.json`.
/// @throws Error  kModelMissing with everything that is missing or wrong; kBadCheckpoint
ClipModel find_clip(const std::filesystem::path& folder);

/// CLIP in the cache that is shared with Hugging Face's tools; none if it is not there or its
/// licence was not accepted.
std::optional<ClipModel> installed_clip();

/// Every name that `find_mmaudio` takes.
std::vector<std::string> mmaudio_names();

}  // namespace qingyin::cli
