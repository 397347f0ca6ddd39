#include "audio_gen/bundled/latent_codec.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "audio_gen/bundled/representation.h"
#include "core/error.h"
#include "models/checkpoint/safetensors.h"

namespace qingyin::bundled {
namespace {

constexpr auto kBands = static_cast<std::size_t>(kMelBands);
constexpr auto kPatch = static_cast<std::size_t>(kMelBands * kFramesPerToken);
constexpr auto kSize = static_cast<std::size_t>(kLatentSize);

const std::map<std::string, std::vector<std::int64_t>>& expected_shapes() {
  static const std::map<std::string, std::vector<std::int64_t>> shapes{
      {"mean", {kMelBands}},
      {"deviation", {kMelBands}},
      {"components", {kLatentSize, kMelBands * kFramesPerToken}},
      {"scale", {kLatentSize}}};
  return shapes;
}

std::string problems(const SafetensorsFile& file) {
  std::string found;
  auto missing = expected_shapes();
  for (const TensorRecord& tensor : file.tensors()) {
    const auto wanted = expected_shapes().find(tensor.name);
    missing.erase(tensor.name);
    if (wanted == expected_shapes().end()) {
      found += "\n  unexpected  " + tensor.name;
    } else if (tensor.shape != wanted->second || tensor.dtype != DType::kF32) {
      found += "\n  misshapen   " + tensor.name;
    }
  }
  for (const auto& [name, shape] : missing) found += "\n  missing     " + name;
  return found;
}

LatentCodec::Tables read_tables(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  const std::string found = problems(file);
  require(found.empty(), ErrorCode::kBadCheckpoint, path.string() + ": not this latent:" + found);
  LatentCodec::Tables tables;
  const std::map<std::string, std::vector<float>*> places{{"mean", &tables.mean},
                                                          {"deviation", &tables.deviation},
                                                          {"components", &tables.components},
                                                          {"scale", &tables.scale}};
  for (const TensorRecord& tensor : file.tensors()) {
    const TensorBytes bytes = file.read(tensor);
    auto& values = *places.at(tensor.name);
    values.resize(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  return tables;
}

}  // namespace

LatentCodec::LatentCodec(Tables tables) : tables_(std::move(tables)) {
  require(tables_.mean.size() == kBands && tables_.deviation.size() == kBands &&
              tables_.components.size() == kSize * kPatch && tables_.scale.size() == kSize,
          ErrorCode::kInternal, "latent codec: tables of a wrong size");
}

LatentCodec::LatentCodec(const std::filesystem::path& path) : LatentCodec(read_tables(path)) {}

std::vector<float> LatentCodec::encode(std::span<const float> log_mel) const {
  const std::size_t tokens = log_mel.size() / kPatch;
  std::vector<float> latents(tokens * kSize);
  std::vector<float> patch(kPatch);
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t j = 0; j < kPatch; ++j) {
      const float value = std::max(log_mel[t * kPatch + j], kQuietestLogMel);
      patch[j] = (value - tables_.mean[j % kBands]) / tables_.deviation[j % kBands];
    }
    for (std::size_t i = 0; i < kSize; ++i) {
      float sum = 0;
      for (std::size_t j = 0; j < kPatch; ++j) sum += tables_.components[i * kPatch + j] * patch[j];
      latents[t * kSize + i] = sum * tables_.scale[i];
    }
  }
  return latents;
}

std::vector<float> LatentCodec::decode(std::span<const float> latents) const {
  const std::size_t tokens = latents.size() / kSize;
  std::vector<float> log_mel(tokens * kPatch);
  for (std::size_t t = 0; t < tokens; ++t) {
    const auto patch = std::span(log_mel).subspan(t * kPatch, kPatch);
    for (std::size_t i = 0; i < kSize; ++i) {
      const float weight = latents[t * kSize + i] / tables_.scale[i];
      for (std::size_t j = 0; j < kPatch; ++j)
        patch[j] += weight * tables_.components[i * kPatch + j];
    }
    for (std::size_t j = 0; j < kPatch; ++j) {
      const float value = patch[j] * tables_.deviation[j % kBands] + tables_.mean[j % kBands];
      patch[j] = std::max(value, kQuietestLogMel);
    }
  }
  return log_mel;
}

}  // namespace qingyin::bundled
