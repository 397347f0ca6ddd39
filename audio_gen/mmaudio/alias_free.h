#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

namespace qingyin::mmaudio {

/// SnakeBeta between two changes of rate (Karras et al., "Alias-free GAN", 2021; Lee et al.,
/// "BigVGAN", 2023): x is doubled in rate by a low-pass filter of 12 taps, each sample u becomes
/// u + sin^2(u * e^alpha) / (e^beta + 1e-9), and the rate is halved by the second filter. Past both
/// ends stand copies of the outermost samples.
struct SnakeParameters {
  at::Tensor alpha, beta;         // [C] float32, logarithms
  at::Tensor up_taps, down_taps;  // [12] float32
};

/// The fused kernel: one pass over the samples, nothing of the doubled rate is stored. The result
/// does not depend on the number of threads.
/// @param x  [B, T, C] float32, T >= 1
/// @return   [B, T, C]
at::Tensor alias_free_snake(const at::Tensor& x, const SnakeParameters& parameters);

/// The same step by step with ATen: the oracle of the kernel.
at::Tensor alias_free_snake_slow(const at::Tensor& x, const SnakeParameters& parameters);

/// Keys: act.alpha, act.beta, upsample.filter, downsample.lowpass.filter.
class AliasFreeSnakeImpl : public torch::nn::Module {
 public:
  AliasFreeSnakeImpl(std::int64_t channels, const at::TensorOptions& options);

  /// [B, T, C] -> [B, T, C]
  at::Tensor forward(const at::Tensor& x);

 private:
  SnakeParameters parameters_;
};
TORCH_MODULE(AliasFreeSnake);

}  // namespace qingyin::mmaudio
