#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "models/layers/plain.h"
#include "understanding/synchformer/synchformer_config.h"

namespace qingyin {

/// What the encoder's keys begin with in the published file, which holds the audio side too.
inline constexpr std::string_view kSynchformerPrefix = "vfeat_extractor.";
/// Keys below that prefix that the encoder never uses: the patch embedding of single frames.
inline constexpr std::array<std::string_view, 2> kSynchformerIgnoredKeys{
    "vfeat_extractor.patch_embed.proj.weight", "vfeat_extractor.patch_embed.proj.bias"};

/// Attention among the tokens of one place over all times, or of one time over all places; each
/// also sees the class token, which itself sees everything.
///
/// Checkpoint keys: qkv, proj. Shapes: B segments, N = times * places, K = D / H.
class DividedAttentionImpl : public torch::nn::Module {
 public:
  enum class Over { kTime, kSpace };
  DividedAttentionImpl(const SynchformerConfig& config, Over over,
                       const at::TensorOptions& options);

  /// [B, 1 + N, D] -> [B, 1 + N, D]
  at::Tensor forward(const at::Tensor& x);

 private:
  at::Tensor grouped(const at::Tensor& parts);
  at::Tensor with_start(const at::Tensor& part);

  SynchformerConfig config_;
  Over over_;
  Dense qkv, proj;
};
TORCH_MODULE(DividedAttention);

/// Checkpoint keys: norm1, norm2, norm3, attn, timeattn, mlp.fc1, mlp.fc2.
class SynchformerBlockImpl : public torch::nn::Module {
 public:
  SynchformerBlockImpl(const SynchformerConfig& config, const at::TensorOptions& options);

  /// [B, 1 + N, D] -> [B, 1 + N, D]
  at::Tensor forward(at::Tensor x, const Observer& observe, const std::string& name);

 private:
  Norm norm1, norm2, norm3;
  DividedAttention attn, timeattn;
  Dense fc1, fc2;
};
TORCH_MODULE(SynchformerBlock);

/// Sums up the tokens of one time by a learned token that attends to them.
///
/// Checkpoint keys: cls_token, self_attn, linear1, linear2, norm1, norm2.
class SpatialSummaryImpl : public torch::nn::Module {
 public:
  SpatialSummaryImpl(const SynchformerConfig& config, const at::TensorOptions& options);

  /// [B, places, D] -> [B, D]
  at::Tensor forward(const at::Tensor& x);

 private:
  at::Tensor cls_token;
  PackedAttention self_attn;
  Dense linear1, linear2;
  Norm norm1, norm2;
};
TORCH_MODULE(SpatialSummary);

/// Checkpoint keys are those of the file without `kSynchformerPrefix`.
class SynchformerImpl : public torch::nn::Module {
 public:
  explicit SynchformerImpl(const SynchformerConfig& config, const at::TensorOptions& options = {});

  /// @param segments  [B, 3, F, S, S] RGB in [-1, 1], S = grid * patch
  /// @return          [B, times, D]; segments do not see each other
  at::Tensor forward(const at::Tensor& segments, const Observer& observe = {});

 private:
  at::Tensor tokens_of(const at::Tensor& segments, const Observer& observe);

  SynchformerConfig config_;
  torch::nn::ModuleList blocks;
  at::Tensor cls_token, pos_embed, temp_embed;
  at::Tensor proj_weight_, proj_bias_;  // of patch_embed_3d
  Norm norm;
  SpatialSummary spatial_attn_agg;
};
TORCH_MODULE(Synchformer);

}  // namespace qingyin
