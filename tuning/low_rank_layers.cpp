#include "tuning/low_rank_layers.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace qingyin::tuning {

LowRankLayers::LowRankLayers(torch::nn::Module& owner, torch::nn::Module& network,
                             std::int64_t rank,
                             const std::function<bool(const std::string&)>& wanted) {
  for (const auto& item : network.named_modules()) {
    auto* linear = item.value()->as<torch::nn::LinearImpl>();
    if (linear == nullptr || !wanted(item.key())) continue;
    std::string name = item.key();
    std::replace(name.begin(), name.end(), '.', '/');
    const at::Tensor weight = linear->weight.detach().clone();
    const std::int64_t r = std::min({rank, weight.size(0), weight.size(1)});
    const at::Tensor down =
        at::randn({r, weight.size(1)}) / std::sqrt(static_cast<double>(weight.size(1)));
    layers_.push_back({linear, weight, owner.register_parameter(name + "/lora_a", down),
                       owner.register_parameter(name + "/lora_b", at::zeros({weight.size(0), r}))});
  }
}

void LowRankLayers::apply() {
  for (Layer& layer : layers_) layer.linear->weight = layer.weight + layer.up.matmul(layer.down);
}

TensorMap adapter_tensors(const TensorMap& parameters, const std::string& part) {
  TensorMap tensors;
  for (const auto& [name, value] : parameters) {
    std::string own = name;
    std::replace(own.begin(), own.end(), '/', '.');
    tensors[part + "/" + own] = value;
  }
  return tensors;
}

}  // namespace qingyin::tuning
