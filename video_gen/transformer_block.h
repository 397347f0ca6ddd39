#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <array>
#include <cstdint>

#include "models/layers/placeholder.h"
#include "video_gen/transformer_config.h"

namespace qingyin {

/// Tokens of a clip: the text stands before the video wherever both are one sequence.
struct CogTokens {
  at::Tensor video;  // [B, T, D]
  at::Tensor text;   // [B, N, D]
};

/// Attention over text and video together, without a mask: "attn1".
class CogAttentionImpl : public torch::nn::Module {
 public:
  explicit CogAttentionImpl(const CogTransformerConfig& config);

  /// @param turns  [T, K/2] complex, of the video tokens; undefined: none
  CogTokens forward(const CogTokens& tokens, const at::Tensor& turns) const;

  /// Puts the weights of queries, keys and values into one matrix, so that they are one product;
  /// the three become parts of it. Changes no result.
  void fuse();

 private:
  std::array<at::Tensor, 3> queries_keys_values(const at::Tensor& x) const;

  std::int64_t heads_;
  PlainLinear to_q, to_k, to_v;
  PlainLinear to_out_;
  PlainLayerNorm norm_q, norm_k;
  at::Tensor fused_weight_, fused_bias_;
};
TORCH_MODULE(CogAttention);

/// What a step's time does to one adaptive norm, computed once for all uses in the step: rows of
/// [B or 1, D], shift, scale and gate of the video, then of the text.
using CogModulation = std::array<at::Tensor, 6>;

/// A norm with one gain and bias for both kinds of tokens, and a modulation for each.
class CogAdaptiveNormImpl : public torch::nn::Module {
 public:
  explicit CogAdaptiveNormImpl(const CogTransformerConfig& config);

  /// @param activated  [B or 1, E], the time embedding after SiLU
  CogModulation modulation(const at::Tensor& activated) const;
  CogTokens forward(const CogTokens& tokens, const CogModulation& modulation) const;

 private:
  PlainLinear linear;
  PlainLayerNorm norm;
};
TORCH_MODULE(CogAdaptiveNorm);

/// One of `transformer_blocks`. Source: diffusers,
/// models/transformers/cogvideox_transformer_3d.py, CogVideoXBlock
class CogBlockImpl : public torch::nn::Module {
 public:
  explicit CogBlockImpl(const CogTransformerConfig& config);

  /// The two norms' modulations.
  using Modulations = std::array<CogModulation, 2>;
  Modulations modulations(const at::Tensor& activated) const;
  CogTokens forward(CogTokens tokens, const Modulations& modulations,
                    const at::Tensor& turns) const;

  CogAdaptiveNorm norm1, norm2;
  CogAttention attn1;

 private:
  at::Tensor feed_forward(const at::Tensor& x) const;

  PlainLinear ff_in_, ff_out_;
};
TORCH_MODULE(CogBlock);

}  // namespace qingyin
