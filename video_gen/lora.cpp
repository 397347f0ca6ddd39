#include "video_gen/lora.h"

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "models/checkpoint/checkpoint_file.h"
#include "models/checkpoint/load_weights.h"
#include "models/checkpoint/tensor_io.h"
#include "video_gen/lora_scale.h"

namespace qingyin {
namespace {

enum class Half { kDown, kUp, kAlpha };

struct Part {
  std::string module;
  Half half;
};

/// What the tensor of that name is to which module.
std::optional<Part> part_of(std::string_view name) {
  constexpr std::pair<std::string_view, Half> kEndings[] = {{".lora_A.weight", Half::kDown},
                                                            {".lora_B.weight", Half::kUp},
                                                            {".lora.down.weight", Half::kDown},
                                                            {".lora.up.weight", Half::kUp},
                                                            {".lora_down.weight", Half::kDown},
                                                            {".lora_up.weight", Half::kUp},
                                                            {".alpha", Half::kAlpha}};
  constexpr std::array<std::string_view, 2> kPrefixes{"base_model.model.", "transformer."};
  for (const auto& [ending, half] : kEndings) {
    if (!name.ends_with(ending)) continue;
    name.remove_suffix(ending.size());
    for (const std::string_view prefix : kPrefixes)
      if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
    return Part{.module = std::string(name), .half = half};
  }
  return std::nullopt;
}

void check_pair(const std::filesystem::path& path, const std::string& module,
                const LoraPair& pair) {
  if (!pair.down.defined() || !pair.up.defined())
    refuse_checkpoint(path, "has only one half of the change of " + excerpt(module, 200));
  const bool fits = pair.down.dim() == 2 && pair.up.dim() == 2 && pair.down.size(0) > 0 &&
                    pair.down.size(0) == pair.up.size(1) && pair.down.is_floating_point() &&
                    pair.up.is_floating_point();
  if (!fits)
    refuse_checkpoint(path, "the two halves of the change of " + excerpt(module, 200) +
                                " do not fit one another");
}

double alpha_of(const std::filesystem::path& path, const at::Tensor& tensor) {
  const bool is_number = tensor.numel() == 1 && tensor.is_floating_point();
  if (!is_number) refuse_checkpoint(path, "has an alpha that is not one number");
  return tensor.item<double>();
}

}  // namespace

Lora read_lora(const std::filesystem::path& path) {
  const TensorsAndMetadata content = read_safetensors(path);
  Lora lora{.path = path, .pairs = {}, .unknown = {}};
  std::map<std::string, double> alphas;
  for (const auto& [name, tensor] : content.tensors) {
    const auto part = part_of(name);
    if (!part) {
      lora.unknown.push_back(name);
      continue;
    }
    if (part->half == Half::kAlpha) {
      alphas[part->module] = alpha_of(path, tensor);
      continue;
    }
    LoraPair& pair = lora.pairs[part->module];
    at::Tensor& half = part->half == Half::kDown ? pair.down : pair.up;
    if (half.defined()) refuse_checkpoint(path, "changes " + excerpt(part->module, 200) + " twice");
    half = tensor;
  }
  const auto metadata = content.metadata.find("lora_adapter_metadata");
  const LoraScale scale =
      metadata == content.metadata.end() ? LoraScale() : LoraScale::parse(metadata->second, path);
  for (auto& [module, pair] : lora.pairs) {
    check_pair(path, module, pair);
    const std::int64_t rank = pair.down.size(0);
    const auto alpha = alphas.find(module);
    pair.scale =
        alpha == alphas.end() ? scale.of(module, rank) : alpha->second / static_cast<double>(rank);
  }
  return lora;
}

namespace {

/// The weight that each pair changes; pairs without one are reported.
std::map<std::string, at::Tensor> places(const torch::nn::Module& network, const Lora& lora,
                                         double factor, LoraReport& report) {
  const TensorMap weights = weights_of(network);
  std::map<std::string, at::Tensor> found;
  std::string misshapen;
  for (const auto& [module, pair] : lora.pairs) {
    const auto weight = weights.find(module + ".weight");
    if (weight == weights.end() || weight->second.dim() != 2) {
      report.unmatched.push_back(module);
      continue;
    }
    const at::Tensor& w = weight->second;
    if (w.size(0) != pair.up.size(0) || w.size(1) != pair.down.size(1))
      misshapen += "\n  " + module + ": changes " + std::to_string(pair.up.size(0)) + " x " +
                   std::to_string(pair.down.size(1)) + ", the model has " +
                   std::to_string(w.size(0)) + " x " + std::to_string(w.size(1));
    found.emplace(module, w);
  }
  if (!misshapen.empty()) refuse_checkpoint(lora.path, "was made for another model:" + misshapen);
  report.unmatched.insert(report.unmatched.end(), lora.unknown.begin(), lora.unknown.end());
  if (found.empty())
    refuse_checkpoint(lora.path, "changes nothing in this model: none of its " +
                                     std::to_string(report.unmatched.size()) + " names is there" +
                                     (report.unmatched.empty()
                                          ? std::string()
                                          : ", such as " + excerpt(report.unmatched.front(), 200)) +
                                     "; it was made for another model or in another format");
  for (const auto& [module, weight] : found) {
    const double scale = factor * lora.pairs.at(module).scale;
    const bool is_first = report.matched.empty();
    report.smallest_scale = is_first ? scale : std::min(report.smallest_scale, scale);
    report.largest_scale = is_first ? scale : std::max(report.largest_scale, scale);
    report.matched.push_back(module);
  }
  return found;
}

}  // namespace

LoraReport check_lora(const torch::nn::Module& network, const Lora& lora, double factor) {
  LoraReport report;
  places(network, lora, factor, report);
  return report;
}

LoraReport merge_lora(torch::nn::Module& network, const Lora& lora, double factor) {
  LoraReport report;
  const auto found = places(network, lora, factor, report);
  const at::NoGradGuard no_gradient;
  for (const auto& [module, weight] : found) {
    const LoraPair& pair = lora.pairs.at(module);
    const at::Tensor change = at::matmul(pair.up.to(weight.device(), at::kFloat),
                                         pair.down.to(weight.device(), at::kFloat));
    at::Tensor target = weight;
    target.copy_(weight.to(at::kFloat) + factor * pair.scale * change);
  }
  return report;
}

}  // namespace qingyin
