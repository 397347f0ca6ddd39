#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

#include "audio_gen/mmaudio/flow_blocks.h"
#include "audio_gen/mmaudio/flow_config.h"
#include "audio_gen/mmaudio/time_conv.h"

// What stands before and behind the blocks of MMAudio's flow network.
// Source: hkchengrex/MMAudio, mmaudio/model/{networks,embeddings,transformer_layers}.py.
namespace qingyin::mmaudio {

/// Between a projection's first layer and its MLP.
enum class Activation { kNone, kSelu, kSilu };

/// Brings one kind of input to the network's width; keys: 0, and 1 or 2 (as the published networks
/// number the MLP, with or without an activation before it).
class InputProjectionImpl : public torch::nn::Module {
 public:
  struct Kernels {
    std::int64_t first, mlp;
  };

  InputProjectionImpl(std::int64_t in, const FlowConfig& config, Kernels kernels,
                      Activation activation, const at::TensorOptions& options);

  /// [B, T, in] -> [B, T, D]
  at::Tensor forward(const at::Tensor& x);

 private:
  Activation activation_;
  TimeConv first_;
  GatedMlp mlp_;
};
TORCH_MODULE(InputProjection);

/// Embedding of the time, always in float32: v2 has waves of up to 10000 periods; keys: mlp.0,
/// mlp.2.
class TimeEmbeddingImpl : public torch::nn::Module {
 public:
  TimeEmbeddingImpl(const FlowConfig& config, const at::Device& device);

  /// [B] -> [B, D] float32
  at::Tensor forward(const at::Tensor& time);

 private:
  class Layers;
  std::int64_t waves_;
  double longest_period_;
  std::shared_ptr<Layers> mlp;
};
TORCH_MODULE(TimeEmbedding);

/// Modulated by the condition of the whole; keys: adaLN_modulation, conv.
class FinalLayerImpl : public torch::nn::Module {
 public:
  FinalLayerImpl(const FlowConfig& config, const at::TensorOptions& options);

  /// @param condition  silu of the condition of the whole, [B, 1, D]
  /// @return           [B, N, C]
  at::Tensor forward(const at::Tensor& x, const at::Tensor& condition);

 private:
  Numbered adaLN_modulation;
  TimeConv conv;
};
TORCH_MODULE(FinalLayer);

}  // namespace qingyin::mmaudio
