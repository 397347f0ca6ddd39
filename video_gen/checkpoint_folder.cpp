#include "video_gen/checkpoint_folder.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "models/checkpoint/mapped_tensors.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;

constexpr char kIndex[] = "model_index.json";

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

fs::path checked(const fs::path& folder) {
  std::error_code ignored;
  require(fs::is_directory(folder, ignored), ErrorCode::kModelMissing,
          printable(folder) +
              ": there is no such folder; name the folder of a checkpoint in the "
              "diffusers layout, which holds " +
              kIndex);
  require(is_file(folder / kIndex), ErrorCode::kModelMissing,
          printable(folder) + ": holds no " + kIndex +
              "; name the folder of a checkpoint in the diffusers layout");
  return folder / kIndex;
}

/// The names that a component's weights can have, the most usual first.
std::vector<std::string> weight_names(const std::string& component) {
  const std::string stem = component == "text_encoder" ? "model" : "diffusion_pytorch_model";
  return {stem + ".safetensors", stem + ".safetensors.index.json", stem + ".fp16.safetensors",
          stem + ".safetensors.index.fp16.json"};
}

std::string config_name(const std::string& component) {
  return component == "scheduler" ? "scheduler_config.json" : "config.json";
}

}  // namespace

CheckpointFolder::CheckpointFolder(fs::path path)
    : path_(std::move(path)),
      index_(ConfigFile::read(checked(path_))),
      pipeline_(index_.text("_class_name")) {}

std::string CheckpointFolder::class_of(const std::string& component) const {
  const auto entry = index_.json().find(component);
  const bool is_known = entry != index_.json().end() && entry->is_array() && entry->size() == 2 &&
                        entry->at(1).is_string();
  if (!is_known) index_.refuse("names no component " + component);
  return entry->at(1).get<std::string>();
}

fs::path CheckpointFolder::file(const std::string& component, const std::string& name) const {
  fs::path path = path_ / component / name;
  require(is_file(path), ErrorCode::kModelMissing,
          printable(path) + ": is missing; the checkpoint is not complete, fetch it again");
  return path;
}

ConfigFile CheckpointFolder::config(const std::string& component) const {
  return ConfigFile::read(file(component, config_name(component)));
}

fs::path CheckpointFolder::weights_of(const std::string& component) const {
  const std::vector<std::string> names = weight_names(component);
  for (const std::string& name : names)
    if (is_file(path_ / component / name)) return path_ / component / name;
  throw Error(ErrorCode::kModelMissing,
              printable(path_ / component) + ": holds no weights, expected " + names[0] + " or " +
                  names[1] + "; the checkpoint is not complete, fetch it again");
}

TensorMap CheckpointFolder::tensors(const std::string& component) const {
  return map_tensors(weights_of(component));
}

void CheckpointFolder::require_complete() const {
  std::string missing;
  const auto look_for = [&](const fs::path& relative) {
    if (!is_file(path_ / relative)) missing += "\n  " + relative.string();
  };
  look_for(fs::path("tokenizer") / "spiece.model");
  for (const char* component : {"scheduler", "text_encoder", "transformer", "vae"})
    look_for(fs::path(component) / config_name(component));
  for (const char* component : {"text_encoder", "transformer", "vae"}) {
    const std::vector<std::string> names = weight_names(component);
    bool is_there = false;
    for (const std::string& name : names) is_there |= is_file(path_ / component / name);
    if (!is_there) missing += "\n  " + std::string(component) + "/" + names[0] + " (or its index)";
  }
  require(missing.empty(), ErrorCode::kModelMissing,
          printable(path_) + ": the checkpoint is not complete, fetch these again:" + missing);
}

}  // namespace qingyin
