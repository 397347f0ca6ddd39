#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace torch::nn {
class Module;
}

namespace qingyin {

/// One low-rank change: weight += scale * up * down.
struct LoraPair {
  at::Tensor down;   // A, [rank, in]
  at::Tensor up;     // B, [out, rank]
  double scale = 1;  // what the file asks for, before the user's own factor
};

/// A LoRA file by the name of the module that a pair changes ("transformer_blocks.0.attn1.to_q").
struct Lora {
  std::filesystem::path path;
  std::map<std::string, LoraPair> pairs;
  std::vector<std::string> unknown;  // tensors that are no half of a pair
};

/// Reads a LoRA of diffusers or peft: `NAME.lora_A.weight` and `NAME.lora_B.weight`, or the older
/// `lora.down`, `lora_down` and `.up`, with or without the prefix `transformer.`.
///
/// The scale is alpha / rank, or alpha / sqrt(rank) with `use_rslora`, from the metadata
/// `lora_adapter_metadata` with its patterns per module; a tensor `NAME.alpha` also gives alpha;
/// without either it is 1, whatever the rank. Source: diffusers, loaders/lora_base.py; peft,
/// tuners/lora/config.py.
/// @throws Error  kModelMissing if there is no such file; kBadCheckpoint naming the file and what
///                is wrong in it
Lora read_lora(const std::filesystem::path& path);

/// What became of a LoRA.
struct LoraReport {
  std::vector<std::string> matched;              // modules that were changed
  std::vector<std::string> unmatched;            // modules and tensors of the file without a place
  double smallest_scale = 0, largest_scale = 0;  // in all, of the matched ones
};

/// What would become of a LoRA; of the network's weights only the shapes count.
/// @throws Error  as `merge_lora`
LoraReport check_lora(const torch::nn::Module& network, const Lora& lora, double factor);

/// Adds a LoRA to the weights of a network, in float32.
/// @param factor   the user's own, 1 as the file asks
/// @throws Error   kBadCheckpoint if nothing matches, or a pair has another shape than the weight
///                 of its name: it was made for another model. The network is then unchanged
LoraReport merge_lora(torch::nn::Module& network, const Lora& lora, double factor);

}  // namespace qingyin
