#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <array>
#include <cstdint>

#include "models/layers/placeholder.h"
#include "video_gen/transformer_config.h"

namespace qingyin {

/// Rows that go through the feed-forward part together. Its hidden layer, four times as wide, is
/// then 126 MB for 2b; a product of fewer rows would be slower.
inline constexpr std::int64_t kFeedForwardRows = 4096;

/// Tokens of a clip as one sequence: the text stands before the video.
struct CogTokens {
  at::Tensor joined;      // [B, N + T, D], contiguous
  std::int64_t text = 0;  // N

  at::Tensor text_part() const { return joined.narrow(1, 0, text); }                  // [B, N, D]
  at::Tensor video() const { return joined.narrow(1, text, joined.size(1) - text); }  // [B, T, D]
};

/// Attention over text and video together, without a mask: "attn1".
class CogAttentionImpl : public torch::nn::Module {
 public:
  explicit CogAttentionImpl(const CogTransformerConfig& config);

  /// What is mixed, before the last linear map, for one clip: queries, keys and values of one are
  /// in memory at a time.
  /// @param x      [1, N + T, D], normed, the first `text` are text; let go as soon as it is used
  /// @param turns  [T, K/2] complex, of the video tokens; undefined: none
  at::Tensor mixed(at::Tensor x, std::int64_t text, const at::Tensor& turns) const;
  /// The last linear map. [..., D] -> [..., D]
  at::Tensor output(const at::Tensor& mixed) const { return to_out_->forward(mixed); }

  /// Keeps the weights in 8 bits; not after `fuse`.
  void to_int8();
  /// Puts the weights of queries, keys and values into one matrix, so that they are one product;
  /// the three become parts of it. Changes no result.
  void fuse();

 private:
  at::Tensor turned(at::Tensor x, const PlainLayerNorm& norm, std::int64_t text,
                    const at::Tensor& turns) const;

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
  /// Lets go the weights that make modulations.
  void let_go_modulation() { linear->let_go(); }
  CogTokens forward(const CogTokens& tokens, const CogModulation& modulation) const;
  /// Rows of one clip and kind.
  /// @param rows  [1, n, D]
  /// @param kind  0: shift, scale and gate of the video begin the modulation; 3: of the text
  at::Tensor rows(const at::Tensor& rows, const CogModulation& modulation, std::size_t kind,
                  std::int64_t clip) const;

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
  /// Keeps the weights of attention and feed-forward part, all large ones but those that make
  /// modulations, in 8 bits (`Int8Weight`); again after others are adopted.
  void to_int8();
  /// Lets go what makes modulations, a fifth of the weights, when all are made.
  void let_go_modulations();
  /// Changes the tokens in place: at full size one such tensor has 270 MB, and of the hidden layer
  /// only some rows are in memory at a time.
  void forward(CogTokens& tokens, const Modulations& modulations, const at::Tensor& turns) const;

  CogAdaptiveNorm norm1, norm2;
  CogAttention attn1;

 private:
  at::Tensor feed_forward(const at::Tensor& x) const;
  void add_attention(CogTokens& tokens, const CogModulation& m, const at::Tensor& turns) const;
  void add_feed_forward(CogTokens& tokens, const CogModulation& m) const;

  PlainLinear ff_in_, ff_out_;
};
TORCH_MODULE(CogBlock);

}  // namespace qingyin
