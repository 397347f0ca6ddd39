#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <optional>

#include "models/layers/int8_weight.h"

namespace qingyin::mmaudio {

/// Convolution over time with the channels last, odd kernel, zeros past both ends; or a linear
/// layer, which is the same without the axis of time.
///
/// Keys: weight, bias. Weights are left uninitialised: they come from a checkpoint.
class TimeConvImpl : public torch::nn::Module {
 public:
  /// @param kernel   0: a linear layer with weight [out, in]; otherwise weight [out, in, kernel]
  /// @param options  type and device of the weights
  /// @param dilation  times from one tap to the next
  TimeConvImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, bool has_bias,
               const at::TensorOptions& options, std::int64_t dilation = 1);

  /// [B, T, in] -> [B, T, out]
  at::Tensor forward(const at::Tensor& x);

  /// Keeps the weight in 8 bits from now on; the parameter is empty then.
  void to_int8();

 private:
  at::Tensor product(const at::Tensor& x, const at::Tensor& by, const at::Tensor& plus) const;

  std::int64_t kernel_, dilation_;
  at::Tensor weight, bias;
  std::optional<Int8Weight> int8_;
};
TORCH_MODULE(TimeConv);

/// Transposed convolution over time, channels last; keys: weight [in, out, kernel], bias. The
/// result is `rate` times as long: (kernel - rate) / 2 samples are cut from both ends.
class UpConvImpl : public torch::nn::Module {
 public:
  UpConvImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t rate,
             const at::TensorOptions& options);

  /// [B, T, in] -> [B, rate T, out]
  at::Tensor forward(const at::Tensor& x);

 private:
  std::int64_t rate_, padding_;
  at::Tensor weight, bias;
};
TORCH_MODULE(UpConv);

/// w2(silu(w1 x) * w3 x), each of w1, w2, w3 a TimeConv without bias.
class GatedMlpImpl : public torch::nn::Module {
 public:
  /// @param hidden  H, see `mlp_hidden` of the flow network's config
  /// @param kernel  as of TimeConv
  GatedMlpImpl(std::int64_t dim, std::int64_t hidden, std::int64_t kernel,
               const at::TensorOptions& options);

  /// [B, T, D] -> [B, T, D]
  at::Tensor forward(const at::Tensor& x);

 private:
  TimeConv w1, w2, w3;
};
TORCH_MODULE(GatedMlp);

}  // namespace qingyin::mmaudio
