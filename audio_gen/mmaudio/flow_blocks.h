#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <array>
#include <cstdint>

#include "audio_gen/mmaudio/flow_config.h"
#include "audio_gen/mmaudio/time_conv.h"

// Parts of MMAudio's flow network. Child names are checkpoint keys. Shapes: B batch, T tokens (N
// latents, Nc pictures), D width, H heads, K = D / H.
// Source: hkchengrex/MMAudio, mmaudio/model/{transformer_layers,low_level,embeddings}.py.
namespace qingyin::mmaudio {

/// Angles of a rotary position embedding: pairs (2i, 2i + 1) of a head turn together.
struct Rotation {
  at::Tensor cosine, sine;  // [T, K / 2] float32
};

/// @param scale  of all frequencies: how many latents one token lasts
Rotation rotation_of(std::int64_t tokens, std::int64_t head_width, double scale,
                     const at::Device& device);

/// Queries, keys and values of some tokens, each [B, H, T, K].
struct Attended {
  at::Tensor q, k, v;
};

/// A module that holds one layer under a number, as torch's Sequential names its members.
class NumberedImpl : public torch::nn::Module {
 public:
  NumberedImpl(const char* number, std::int64_t in, std::int64_t out,
               const at::TensorOptions& options)
      : layer_(register_module(number, TimeConv(in, out, 0, true, options))) {}

  at::Tensor forward(const at::Tensor& x) { return layer_(x); }

 private:
  TimeConv layer_;
};
TORCH_MODULE(Numbered);

/// The scale of an RMS norm of queries or keys; key: weight.
class HeadNormImpl : public torch::nn::Module {
 public:
  HeadNormImpl(std::int64_t head_width, const at::TensorOptions& options);

  /// Normalises and then turns each head. [B, T, H, K] -> [B, H, T, K]
  at::Tensor forward(const at::Tensor& x, const Rotation* rotation);

 private:
  at::Tensor weight;
};
TORCH_MODULE(HeadNorm);

/// The projections around attention; keys: qkv, q_norm, k_norm. The rows of qkv run over heads,
/// then channels, then (query, key, value).
class HeadsImpl : public torch::nn::Module {
 public:
  HeadsImpl(std::int64_t dim, std::int64_t heads, const at::TensorOptions& options);

  /// @param x         [B, T, D]
  /// @param rotation  null: none
  Attended forward(const at::Tensor& x, const Rotation* rotation);

 private:
  std::int64_t heads_;
  TimeConv qkv;
  HeadNorm q_norm, k_norm;
};
TORCH_MODULE(Heads);

/// One stream of tokens of a transformer block that is modulated by a condition (adaLN of Peebles &
/// Xie, 2023); keys: attn, linear1, ffn, adaLN_modulation. Without a second half, the block only
/// offers its tokens to the others' attention, and holds attn and adaLN_modulation.
class StreamBlockImpl : public torch::nn::Module {
 public:
  /// @param kernel  of linear1 and ffn, as of TimeConv
  StreamBlockImpl(const FlowConfig& config, std::int64_t kernel, bool has_second_half,
                  const at::TensorOptions& options);

  /// First half: what enters attention, and the modulation that the second half needs.
  /// @param x          [B, T, D]
  /// @param condition  silu(c), c of [B, 1, D] or [B, T, D]
  Attended before_attention(const at::Tensor& x, const at::Tensor& condition,
                            const Rotation* rotation, at::Tensor& modulation);

  /// Second half. @param mixed  [B, T, D] the result of attention
  at::Tensor after_attention(const at::Tensor& x, const at::Tensor& mixed,
                             const at::Tensor& modulation);

 private:
  Heads attn;
  TimeConv linear1{nullptr};
  GatedMlp ffn{nullptr};
  Numbered adaLN_modulation;
};
TORCH_MODULE(StreamBlock);

/// Tokens of the three streams: latents [B, N, D], pictures [B, Nc, D], text [B, 77, D].
using Streams = std::array<at::Tensor, 3>;

/// Block in which latents, pictures and text attend to all; keys: latent_block, clip_block,
/// text_block. The last such block changes the latents alone.
class JointBlockImpl : public torch::nn::Module {
 public:
  JointBlockImpl(const FlowConfig& config, bool is_last, const at::TensorOptions& options);

  /// @param global     silu of the condition of the whole, [B, 1, D]
  /// @param per_token  silu of the condition of each latent, [B, N, D]
  Streams forward(const Streams& x, const at::Tensor& global, const at::Tensor& per_token,
                  const Rotation& latent_rotation, const Rotation& clip_rotation);

 private:
  bool is_last_;
  StreamBlock latent_block, clip_block, text_block;
};
TORCH_MODULE(JointBlock);

/// softmax(q k^T / sqrt(K)) v, heads joined. [B, H, T, K] -> [B, T, D]
at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

/// layer_norm(x) * (1 + scale) + shift, the norm without gain and bias, eps 1e-5.
at::Tensor modulated(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale);

}  // namespace qingyin::mmaudio
