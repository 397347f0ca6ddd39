#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cstdint>

namespace qingyin {

/// Convolution over time with the channels last and zeros past both ends.
/// @param x       [B, T, C]
/// @param weight  [K, C], K odd: every channel has its own filter
/// @param bias    [C]
/// @return        [B, T, C], y[t] = bias + sum over k of weight[k] * x[t + k - (K - 1) / 2]
at::Tensor depthwise_conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

/// ConvNeXt block in one dimension (Liu et al., "A ConvNet for the 2020s", 2022; for vocoders:
/// Siuzdak, "Vocos", 2023): x + scale * pointwise2(gelu(pointwise1(norm(depthwise(x))))).
///
/// Members without a trailing underscore are checkpoint keys: depthwise_weight, depthwise_bias,
/// norm, pointwise1, pointwise2, scale.
class ConvNextImpl : public torch::nn::Module {
 public:
  /// @param initial_scale  of the residual branch; 1 / blocks is usual
  ConvNextImpl(std::int64_t channels, std::int64_t hidden, std::int64_t kernel,
               double initial_scale);

  /// [B, T, C] -> [B, T, C]
  at::Tensor forward(const at::Tensor& x);

 private:
  at::Tensor depthwise_weight, depthwise_bias;
  torch::nn::LayerNorm norm;
  torch::nn::Linear pointwise1, pointwise2;
  at::Tensor scale;
};
TORCH_MODULE(ConvNext);

}  // namespace qingyin
