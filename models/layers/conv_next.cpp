#include "models/layers/conv_next.h"

#include <ATen/ATen.h>
#include <torch/types.h>

#include <cmath>

#include "models/layers/fast_cpu.h"

namespace qingyin {
namespace nn = torch::nn;

at::Tensor depthwise_conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const std::int64_t kernel = weight.size(0), length = x.size(1), side = (kernel - 1) / 2;
  const at::Tensor padded = at::constant_pad_nd(x, {0, 0, side, side});
  at::Tensor y = bias.expand_as(x);
  for (std::int64_t k = 0; k < kernel; ++k) {
    y = at::addcmul(y, padded.narrow(1, k, length), weight[k]);
  }
  return y;
}

ConvNextImpl::ConvNextImpl(std::int64_t channels, std::int64_t hidden, std::int64_t kernel,
                           double initial_scale)
    : depthwise_weight(register_parameter(
          "depthwise_weight",
          at::randn({kernel, channels}) / std::sqrt(static_cast<double>(kernel)))),
      depthwise_bias(register_parameter("depthwise_bias", at::zeros({channels}))),
      norm(register_module("norm", nn::LayerNorm(nn::LayerNormOptions({channels})))),
      pointwise1(register_module("pointwise1", nn::Linear(channels, hidden))),
      pointwise2(register_module("pointwise2", nn::Linear(hidden, channels))),
      scale(register_parameter("scale", at::full({channels}, initial_scale))) {}

at::Tensor ConvNextImpl::forward(const at::Tensor& x) {
  const at::Tensor y = norm(depthwise_conv(x, depthwise_weight, depthwise_bias));
  return x + scale * affine(at::gelu(affine(y, pointwise1), "tanh"), pointwise2);
}

}  // namespace qingyin
