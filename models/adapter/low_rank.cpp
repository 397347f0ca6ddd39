#include "models/adapter/low_rank.h"

#include <ATen/ATen.h>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

constexpr std::string_view kDown = ".lora_a", kUp = ".lora_b";

/// What is wrong with one pair; empty: nothing.
std::string problem(const TensorMap& weights, const std::string& layer, const at::Tensor& down,
                    const at::Tensor* up) {
  const auto weight = weights.find(layer + ".weight");
  if (weight == weights.end()) return layer + " is no layer of these weights";
  if (up == nullptr) return layer + " lacks its lora_b";
  const bool fits = down.dim() == 2 && up->dim() == 2 && weight->second.dim() == 2 &&
                    down.size(0) == up->size(1) && up->size(0) == weight->second.size(0) &&
                    down.size(1) == weight->second.size(1);
  return fits ? "" : layer + " has another shape";
}

}  // namespace

LoadedAdapter load_adapter(const AdapterChoice& choice) {
  LoadedAdapter adapter{choice, read_adapter_facts(choice.file), {}};
  adapter.tensors = with_float_type(read_safetensors(choice.file).tensors, at::kFloat);
  return adapter;
}

void add_low_rank(TensorMap& weights, const LoadedAdapter& adapter, const std::string& part) {
  const std::string prefix = part + "/";
  std::string problems;
  int matched = 0;
  for (const auto& [name, down] : adapter.tensors) {
    if (!name.starts_with(prefix) || !name.ends_with(kDown)) continue;
    const std::string layer =
        name.substr(prefix.size(), name.size() - prefix.size() - kDown.size());
    const auto up = adapter.tensors.find(prefix + layer + std::string(kUp));
    const auto* pair = up == adapter.tensors.end() ? nullptr : &up->second;
    if (const auto found = problem(weights, layer, down, pair); !found.empty()) {
      problems += (problems.empty() ? "" : "; ") + printable(found);
      continue;
    }
    ++matched;
    if (adapter.choice.scale == 0) continue;
    at::Tensor& weight = weights.at(layer + ".weight");
    weight = weight + adapter.choice.scale * pair->matmul(down);
  }
  require(matched > 0 && problems.empty(), ErrorCode::kBadCheckpoint,
          printable(adapter.choice.file) + ": " +
              (problems.empty() ? "nothing in it matches a layer of the " + part + " weights"
                                : problems) +
              "; it was damaged, or belongs to another version of the program");
}

}  // namespace qingyin
