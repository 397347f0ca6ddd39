#include "audio_gen/bundled/latent_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <string>

#include "audio_gen/bundled/representation.h"
#include "core/error.h"
#include "core/philox.h"
#include "models/checkpoint/safetensors.h"

namespace qingyin::bundled {
namespace {

constexpr auto kBands = static_cast<std::size_t>(kMelBands);
constexpr auto kPatch = static_cast<std::size_t>(kMelBands * kFramesPerToken);
constexpr auto kSize = static_cast<std::size_t>(kLatentSize);
constexpr auto kRest = kPatch - kSize;
/// Stream of a sound's random numbers; see `networks.cpp` for the others.
constexpr std::uint64_t kGrainStream = 3;
/// Logarithms of deviations beyond these come from latents that no sound has.
constexpr float kLeastSpread = -8, kMostSpread = 1.5F;

struct Part {
  std::vector<float> LatentCodec::Tables::*values;
  std::vector<std::int64_t> shape;
};

const std::map<std::string, Part>& parts() {
  using T = LatentCodec::Tables;
  constexpr std::int64_t patch = kMelBands * kFramesPerToken, rest = patch - kLatentSize;
  static const std::map<std::string, Part> all{
      {"mean", {&T::mean, {kMelBands}}},
      {"deviation", {&T::deviation, {kMelBands}}},
      {"components", {&T::components, {kLatentSize, patch}}},
      {"scale", {&T::scale, {kLatentSize}}},
      {"grain_components", {&T::grain_components, {rest, patch}}},
      {"grain_scale", {&T::grain_scale, {rest}}},
      {"grain_weight1", {&T::grain_weight1, {kLatentSize, kGrainHidden}}},
      {"grain_bias1", {&T::grain_bias1, {kGrainHidden}}},
      {"grain_weight2", {&T::grain_weight2, {kGrainHidden, kGrainHidden}}},
      {"grain_bias2", {&T::grain_bias2, {kGrainHidden}}},
      {"grain_weight3", {&T::grain_weight3, {kGrainHidden, 2 * rest}}},
      {"grain_bias3", {&T::grain_bias3, {2 * rest}}}};
  return all;
}

std::size_t count_of(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const auto size : shape) count *= static_cast<std::size_t>(size);
  return count;
}

std::string problems(const SafetensorsFile& file) {
  std::string found;
  auto missing = parts();
  for (const TensorRecord& tensor : file.tensors()) {
    const auto wanted = parts().find(tensor.name);
    missing.erase(tensor.name);
    if (wanted == parts().end()) {
      found += "\n  unexpected  " + tensor.name;
    } else if (tensor.shape != wanted->second.shape || tensor.dtype != DType::kF32) {
      found += "\n  misshapen   " + tensor.name;
    }
  }
  for (const auto& [name, part] : missing) found += "\n  missing     " + name;
  return found;
}

LatentCodec::Tables read_tables(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  const std::string found = problems(file);
  require(found.empty(), ErrorCode::kBadCheckpoint, path.string() + ": not this latent:" + found);
  LatentCodec::Tables tables;
  for (const TensorRecord& tensor : file.tensors()) {
    const TensorBytes bytes = file.read(tensor);
    auto& values = tables.*parts().at(tensor.name).values;
    values.resize(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  return tables;
}

/// Adds x [I] times weights [I, O] to y [O].
void multiply(std::span<const float> x, const std::vector<float>& weights, std::span<float> y) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] == 0) continue;
    const float* row = weights.data() + i * y.size();
    for (std::size_t o = 0; o < y.size(); ++o) y[o] += x[i] * row[o];
  }
}

std::vector<float> layer(std::span<const float> x, const std::vector<float>& weights,
                         const std::vector<float>& bias) {
  std::vector<float> y = bias;
  multiply(x, weights, y);
  return y;
}

void rectify(std::vector<float>& x) {
  for (float& value : x) value = std::max(value, 0.0F);
}

}  // namespace

LatentCodec::LatentCodec(Tables tables) : tables_(std::move(tables)) {
  for (const auto& [name, part] : parts()) {
    require((tables_.*part.values).size() == count_of(part.shape), ErrorCode::kInternal,
            "latent codec: " + name + " has a wrong size");
  }
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

std::vector<float> LatentCodec::decode_normal(std::span<const float> latents) const {
  const std::size_t tokens = latents.size() / kSize;
  std::vector<float> patches(tokens * kPatch);
  std::vector<float> natural(kSize);
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t i = 0; i < kSize; ++i) natural[i] = latents[t * kSize + i] / tables_.scale[i];
    multiply(natural, tables_.components, std::span(patches).subspan(t * kPatch, kPatch));
  }
  return patches;
}

void LatentCodec::to_log_mel(std::span<float> patches) const {
  for (std::size_t j = 0; j < patches.size(); ++j) {
    const float value = patches[j] * tables_.deviation[j % kBands] + tables_.mean[j % kBands];
    patches[j] = std::max(value, kQuietestLogMel);
  }
}

std::vector<float> LatentCodec::decode(std::span<const float> latents) const {
  std::vector<float> result = decode_normal(latents);
  to_log_mel(result);
  return result;
}

std::vector<float> LatentCodec::decode(std::span<const float> latents, std::uint64_t seed,
                                       std::int64_t first) const {
  const std::size_t tokens = latents.size() / kSize;
  std::vector<float> result = decode_normal(latents), random(tokens * kRest);
  Philox(seed, kGrainStream).normal(random, static_cast<std::uint64_t>(first) * kRest);
  for (std::size_t t = 0; t < tokens; ++t) {
    add_grain(latents.subspan(t * kSize, kSize), std::span(random).subspan(t * kRest, kRest),
              std::span(result).subspan(t * kPatch, kPatch));
  }
  to_log_mel(result);
  return result;
}

void LatentCodec::add_grain(std::span<const float> latents, std::span<const float> random,
                            std::span<float> patch) const {
  auto hidden = layer(latents, tables_.grain_weight1, tables_.grain_bias1);
  rectify(hidden);
  hidden = layer(hidden, tables_.grain_weight2, tables_.grain_bias2);
  rectify(hidden);
  const auto found = layer(hidden, tables_.grain_weight3, tables_.grain_bias3);
  std::vector<float> grain(kRest);
  for (std::size_t r = 0; r < kRest; ++r) {
    const float spread = std::exp(std::clamp(found[kRest + r], kLeastSpread, kMostSpread));
    grain[r] = (found[r] + spread * random[r]) * tables_.grain_scale[r];
  }
  multiply(grain, tables_.grain_components, patch);
}

}  // namespace qingyin::bundled
