#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <string>
#include <vector>

namespace qingyin {

/// Sinusoidal embedding of a number: [cos(1000 x f_j), sin(1000 x f_j)], f_j = 10000^(-j / (D/2))
/// (Vaswani et al., 2017; the factor 1000 spreads times in [0, 1]).
/// @param x    [B]
/// @param dim  D, even
/// @return     [B, D] float32
at::Tensor timestep_embedding(const at::Tensor& x, std::int64_t dim);

/// Rotary position embedding (Su et al., "RoFormer", 2021), halves convention: channel j turns
/// against channel j + K/2 by the angle position * base^(-2j/K).
/// @param x              [B, H, T, K], K even
/// @param first_position of token 0
/// @return               [B, H, T, K]
at::Tensor apply_rope(const at::Tensor& x, std::int64_t first_position = 0, double base = 10000);

/// x / sqrt(mean(x^2) + eps) over the last dimension, without a learned gain.
at::Tensor rms_normalise(const at::Tensor& x, double eps = 1e-6);

struct TransformerBlockConfig {
  std::int64_t dim;            // D, width of a token
  std::int64_t heads;          // H, divides dim into even head widths
  std::int64_t mlp_ratio = 4;  // the MLP's hidden width is mlp_ratio * dim
};

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const TransformerBlockConfig& config);

/// Transformer block that is modulated by one condition vector for all tokens (adaLN-Zero of
/// Peebles & Xie, "Scalable diffusion models with transformers", 2023); attention uses RoPE, and
/// RMS-normalised queries and keys.
///
/// Members without a trailing underscore are checkpoint keys: modulation, qkv, proj, mlp1, mlp2.
/// Shapes: B batch, T tokens, D width, H heads, K = D / H.
class TransformerBlockImpl : public torch::nn::Module {
 public:
  explicit TransformerBlockImpl(const TransformerBlockConfig& config);

  /// @param x          [B, T, D]
  /// @param condition  [B, D], after its activation
  /// @return           [B, T, D]
  at::Tensor forward(at::Tensor x, const at::Tensor& condition);

 private:
  at::Tensor attend(const at::Tensor& x);

  std::int64_t heads_;
  torch::nn::Linear modulation, qkv, proj, mlp1, mlp2;
};
TORCH_MODULE(TransformerBlock);

/// layer_norm(x) * (1 + scale) + shift, the norm without gain and bias.
/// @param x             [B, T, D]
/// @param shift, scale  [B, 1, D]
at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale);

}  // namespace qingyin
