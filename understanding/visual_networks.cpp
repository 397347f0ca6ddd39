#include "understanding/visual_networks.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/sha256.h"
#include "core/text.h"
#include "models/checkpoint/load_weights.h"
#include "models/checkpoint/partial_tensors.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;

constexpr double kDeviationOfRows = 0.02;           // of learned positions and tokens
constexpr const char* kLogitScale = "logit_scale";  // its logarithm
constexpr double kFirstLogitScale = 1 / 0.07;       // open_clip's, where a file has none

at::Tensor stacked(std::span<const PreparedPicture> pictures) {
  const std::int64_t side = pictures.front().side, count = std::ssize(pictures);
  at::Tensor bytes = at::empty({count, 3, side, side}, at::kByte);
  auto* out = bytes.mutable_data_ptr<std::uint8_t>();
  for (const PreparedPicture& picture : pictures) out = std::ranges::copy(picture.planes, out).out;
  return bytes.to(at::kFloat);
}

/// Numbers for a weight as a network has them before it is trained.
at::Tensor random_values(const std::string& name, at::IntArrayRef sizes, at::Generator generator) {
  const bool is_norm = name.find("norm") != name.npos || name.find("ln_") != name.npos;
  const at::Tensor values = at::empty(sizes, at::kFloat);
  if (is_norm && name.ends_with("weight")) return values.fill_(1);
  if (name.ends_with("bias")) return values.zero_();
  const bool is_row = name.ends_with("_embed") || name.ends_with("embedding") ||
                      name.ends_with("cls_token") || name.ends_with("embedding.weight");
  const double deviation =
      is_row ? kDeviationOfRows
             : std::sqrt(static_cast<double>(sizes[0]) / static_cast<double>(values.numel()));
  return values.normal_(0, deviation, std::move(generator));
}

/// The name of a weight within the part of a file that begins with `prefix`; none: it is elsewhere.
std::optional<std::string> name_below(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  return std::string(name.substr(prefix.size()));
}

/// The factor of the logits.
double scale_of(const at::Tensor& logarithm, const std::string& source) {
  require(logarithm.numel() == 1 && logarithm.is_floating_point(), ErrorCode::kBadCheckpoint,
          source + ": logit_scale is not one number");
  const double scale = std::exp(logarithm.item<double>());
  require(std::isfinite(scale), ErrorCode::kBadCheckpoint, source + ": logit_scale is not finite");
  return scale;
}

/// The tensors of CLIP's file that belong to one of its towers, by their names there.
TensorMap tower_of(const TensorMap& tensors, bool is_vision) {
  TensorMap tower;
  for (const auto& [name, tensor] : tensors) {
    if (name == kLogitScale || name.starts_with(kClipVisionPrefix) != is_vision) continue;
    tower.emplace(is_vision ? name.substr(kClipVisionPrefix.size()) : name, tensor);
  }
  return tower;
}

/// Checks a tower's tensors, where it is not loaded against one without memory.
template <typename Network>
void check_tower(const Network* network, const ClipConfig& config, const TensorMap& shapes,
                 const std::string& source) {
  if (network != nullptr) return require_fit(**network, shapes, source);
  require_fit(*Network(config, at::TensorOptions(at::kMeta).dtype(at::kFloat)), shapes, source);
}

}  // namespace

// Products with 1 / 255, as torchvision's: a quotient differs in the last bit.
at::Tensor clip_input(std::span<const PreparedPicture> pictures) {
  return stacked(pictures).mul_(1.0 / 255);
}

at::Tensor sync_input(std::span<const PreparedPicture> frames) {
  return stacked(frames).mul_(1.0 / 255).sub_(0.5).div_(0.5);
}

double load_clip(const fs::path& file, const ClipConfig& config, ClipVision* vision, ClipText* text,
                 const at::TensorOptions& options) {
  const std::string source = printable(file);
  TensorMap weights;  // by the file's names
  if (vision != nullptr) {
    *vision = ClipVision(config, options);
    for (auto& [name, tensor] : weights_of(**vision))
      weights.emplace(std::string(kClipVisionPrefix) + name, tensor);
  }
  if (text != nullptr) {
    *text = ClipText(config, options);
    weights.merge(weights_of(**text));
  }
  const auto is_wanted = [&](std::string_view name) {
    return name == kLogitScale || weights.contains(std::string(name));
  };
  const auto check = [&](const TensorMap& shapes) {
    check_tower(vision, config, tower_of(shapes, true),
                source + ", " + std::string(kClipVisionPrefix) + "*");
    check_tower(text, config, tower_of(shapes, false), source);
  };
  double scale = kFirstLogitScale;
  const at::NoGradGuard no_gradient;
  stream_tensors(file, is_wanted, check, [&](const std::string& name, const at::Tensor& tensor) {
    if (name == kLogitScale)
      scale = scale_of(tensor, source);
    else
      weights.at(name).copy_(tensor);
  });
  return scale;
}

Synchformer load_synchformer(const fs::path& file, const SynchformerConfig& config,
                             const at::TensorOptions& options) {
  Synchformer network(config, options);
  stream_weights(*network, file, [](std::string_view name) -> std::optional<std::string> {
    if (std::ranges::count(kSynchformerIgnoredKeys, name) > 0) return std::nullopt;
    return name_below(kSynchformerPrefix, name);
  });
  return network;
}

void randomise(torch::nn::Module& network, std::uint64_t seed, const at::TensorOptions& options) {
  const at::NoGradGuard no_gradient;
  const auto generator = at::detail::createCPUGenerator(seed);
  for (auto& [name, tensor] : weights_of(network))
    tensor.set_data(random_values(name, tensor.sizes(), generator).to(options));
}

std::string file_identity(const fs::path& file) {
  constexpr std::uint64_t kSample = std::uint64_t{1} << 20;
  std::ifstream in(file, std::ios::binary);
  const std::uint64_t size = fs::file_size(file);
  std::string bytes(std::min(size, 2 * kSample), '\0');
  const auto head = static_cast<std::streamsize>(bytes.size() / 2);
  const auto tail = static_cast<std::streamsize>(bytes.size()) - head;
  in.read(bytes.data(), head);
  in.seekg(-tail, std::ios::end);
  in.read(bytes.data() + head, tail);
  require(static_cast<bool>(in), ErrorCode::kBadCheckpoint, printable(file) + ": cannot be read");
  return file.filename().string() + ":" + std::to_string(size) + ":" +
         sha256_hex(bytes).substr(0, 16);
}

}  // namespace qingyin
