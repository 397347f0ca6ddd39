#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>

#include "audio_gen/mmaudio/tile_conv_layer.h"
#include "audio_gen/mmaudio/time_conv.h"

// Magnitude-preserving layers over time, channels last, from the equations of Karras et al.,
// "Analyzing and improving the training dynamics of diffusion models" (EDM2, 2024). Child names are
// MMAudio's checkpoint keys. Convolutions hold weights that are normalised already.
namespace qingyin::mmaudio {

/// x / (eps + its root mean square over the last dimension).
at::Tensor unit_magnitude(const at::Tensor& x);

/// silu(x) / 0.596: unit variance in, unit variance out (equation 81).
at::Tensor mp_silu(const at::Tensor& x);

/// Sum that keeps unit variance: lerp(a, b, t) / sqrt((1 - t)^2 + t^2) (equation 88).
at::Tensor mp_sum(const at::Tensor& a, const at::Tensor& b, double t);

/// Keys: conv1, conv2, and nin_shortcut where the widths differ. What passes by the convolutions is
/// the normalised input.
class VaeBlockImpl : public torch::nn::Module {
 public:
  VaeBlockImpl(std::int64_t in, std::int64_t out, const at::TensorOptions& options);

  /// [B, T, in] -> [B, T, out]
  at::Tensor forward(const at::Tensor& x);

 private:
  TileConv conv1, conv2;
  TimeConv nin_shortcut{nullptr};
};
TORCH_MODULE(VaeBlock);

/// One head over all times, with normalised queries, keys and values; keys: qkv (rows run over
/// channels, then query, key, value), proj_out.
class VaeAttentionImpl : public torch::nn::Module {
 public:
  VaeAttentionImpl(std::int64_t channels, const at::TensorOptions& options);

  /// [B, T, C] -> [B, T, C]
  at::Tensor forward(const at::Tensor& x);

 private:
  TimeConv qkv, proj_out;
};
TORCH_MODULE(VaeAttention);

}  // namespace qingyin::mmaudio
