#include "understanding/visual_networks.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <fstream>
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

constexpr double kRandomDeviation = 0.02;
constexpr const char* kLogitScale = "logit_scale";  // its logarithm

at::Tensor stacked(std::span<const PreparedPicture> pictures) {
  const std::int64_t side = pictures.front().side, count = std::ssize(pictures);
  at::Tensor bytes = at::empty({count, 3, side, side}, at::kByte);
  auto* out = bytes.mutable_data_ptr<std::uint8_t>();
  for (const PreparedPicture& picture : pictures) out = std::ranges::copy(picture.planes, out).out;
  return bytes.to(at::kFloat);
}

/// Moves the tensors whose name begins with `prefix` out of `from`, by the rest of their name.
TensorMap taken(TensorMap& from, std::string_view prefix) {
  TensorMap found;
  for (auto item = from.begin(); item != from.end();) {
    if (!item->first.starts_with(prefix)) {
      ++item;
      continue;
    }
    found.emplace(item->first.substr(prefix.size()), std::move(item->second));
    item = from.erase(item);
  }
  return found;
}

/// Moves the factor of the logits out of `from`; open_clip's first value where it is not there.
double taken_scale(TensorMap& from, const std::string& source) {
  constexpr double kFirst = 1 / 0.07;
  const auto found = from.find(kLogitScale);
  if (found == from.end()) return kFirst;
  require(found->second.numel() == 1 && found->second.is_floating_point(),
          ErrorCode::kBadCheckpoint, source + ": logit_scale is not one number");
  const double scale = std::exp(found->second.item<double>());
  from.erase(found);
  require(std::isfinite(scale), ErrorCode::kBadCheckpoint, source + ": logit_scale is not finite");
  return scale;
}

/// Takes the weights, or where there is no network only checks them against one without memory.
template <typename Network>
void adopt_or_check(Network* network, const ClipConfig& config, TensorMap tensors,
                    const at::TensorOptions& options, const std::string& source) {
  if (network != nullptr) {
    *network = Network(config, at::kFloat);
    adopt_weights(**network, std::move(tensors), options, source);
    return;
  }
  require_fit(*Network(config, at::TensorOptions(at::kMeta).dtype(at::kFloat)), tensors, source);
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
  TensorMap tensors = read_tensors(file, [&](std::string_view name) {
    if (name == kLogitScale) return true;
    return name.starts_with(kClipVisionPrefix) ? vision != nullptr : text != nullptr;
  });
  const std::string source = printable(file);
  const double scale = taken_scale(tensors, source);
  adopt_or_check(vision, config, taken(tensors, kClipVisionPrefix), options,
                 source + ", " + std::string(kClipVisionPrefix) + "*");
  adopt_or_check(text, config, std::move(tensors), options, source);
  return scale;
}

Synchformer load_synchformer(const fs::path& file, const SynchformerConfig& config,
                             const at::TensorOptions& options) {
  TensorMap tensors = read_tensors(
      file, [](std::string_view name) { return name.starts_with(kSynchformerPrefix); });
  for (const std::string_view key : kSynchformerIgnoredKeys) tensors.erase(std::string(key));
  Synchformer network(config, at::kFloat);
  adopt_weights(*network, taken(tensors, kSynchformerPrefix), options,
                printable(file) + ", " + std::string(kSynchformerPrefix) + "*");
  return network;
}

void randomise(torch::nn::Module& network, std::uint64_t seed, const at::TensorOptions& options) {
  const at::NoGradGuard no_gradient;
  const auto generator = at::detail::createCPUGenerator(seed);
  for (auto& [name, tensor] : weights_of(network)) {
    at::Tensor values =
        at::empty(tensor.sizes(), at::kFloat).normal_(0, kRandomDeviation, generator);
    tensor.set_data(values.to(options));
  }
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
