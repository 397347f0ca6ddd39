#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <functional>
#include <string>
#include <vector>

#include "models/checkpoint/tensor_io.h"

namespace qingyin::tuning {

/// Trainable low-rank changes B A of a network's linear layers, whose own weights stand still (Hu
/// et al., "LoRA", 2021). Parameters: NAME/lora_a [r, in], NAME/lora_b [out, r]; B begins at 0.
class LowRankLayers {
 public:
  /// @param owner   gets the parameters, with '/' for the dots of the layers' names
  /// @param wanted  which linear layers, by name
  LowRankLayers(torch::nn::Module& owner, torch::nn::Module& network, std::int64_t rank,
                const std::function<bool(const std::string&)>& wanted);

  /// Puts W + B A into the layers, for one forward and backward.
  void apply();

 private:
  struct Layer {
    torch::nn::LinearImpl* linear;
    at::Tensor weight, down, up;
  };
  std::vector<Layer> layers_;
};

/// The parameters of an owner under the names of an adapter's file: "PART/layer.name.lora_a".
TensorMap adapter_tensors(const TensorMap& parameters, const std::string& part);

}  // namespace qingyin::tuning
