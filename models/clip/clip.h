#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "models/clip/clip_config.h"
#include "models/layers/plain.h"

namespace qingyin {

/// Keys of the published file that are in neither tower: the temperature of the contrastive loss,
/// of shape [] or [1].
inline constexpr std::array<std::string_view, 1> kClipIgnoredKeys{"logit_scale"};
/// What every key of the image tower begins with; all others are the text tower's.
inline constexpr std::string_view kClipVisionPrefix = "visual.";

/// Mean and deviation of the pictures that CLIP was trained on, for R, G, B in [0, 1].
inline constexpr std::array<double, 3> kClipMean{0.48145466, 0.4578275, 0.40821073};
inline constexpr std::array<double, 3> kClipDeviation{0.26862954, 0.26130258, 0.27577711};

/// Checkpoint keys: ln_1, attn, ln_2, mlp.c_fc, mlp.c_proj.
class ClipBlockImpl : public torch::nn::Module {
 public:
  ClipBlockImpl(const ClipTowerConfig& config, const at::TensorOptions& options);

  /// @param x          [B, T, D]; may be overwritten
  /// @param attending  with `queries` only those tokens go on
  /// @return           [B, T or queries, D]
  at::Tensor forward(const at::Tensor& x, Attending attending, const Observer& observe,
                     const std::string& name);

 private:
  Norm ln_1, ln_2;
  PackedAttention attn;
  Dense c_fc, c_proj;
};
TORCH_MODULE(ClipBlock);

/// Image tower. Checkpoint keys are those of the file without "visual.".
class ClipVisionImpl : public torch::nn::Module {
 public:
  explicit ClipVisionImpl(const ClipConfig& config, const at::TensorOptions& options = {});

  /// @param pictures  [B, 3, S, S] RGB in [0, 1], S at least grid * patch; what is over is unseen
  /// @return          [B, E], of length 1
  at::Tensor forward(const at::Tensor& pictures, const Observer& observe = {});

 private:
  at::Tensor tokens_of(const at::Tensor& pictures, const Observer& observe);

  ClipConfig config_;
  torch::nn::ModuleList resblocks_;
  at::Tensor class_embedding, positional_embedding, proj, conv1_weight_;
  Norm ln_pre, ln_post;
};
TORCH_MODULE(ClipVision);

/// Text tower. Checkpoint keys are those of the file outside "visual.".
class ClipTextImpl : public torch::nn::Module {
 public:
  explicit ClipTextImpl(const ClipConfig& config, const at::TensorOptions& options = {});

  /// Every token's last state, as MMAudio conditions on (hkchengrex/MMAudio,
  /// mmaudio/model/utils/features_utils.py): padding included, neither pooled nor projected.
  /// @param tokens  [B, T] int32 or int64, T at most `context`, below `vocabulary`
  /// @return        [B, T, D], each token of length 1
  at::Tensor forward(const at::Tensor& tokens, const Observer& observe = {});

  /// One vector a text, in the space of the pictures.
  /// @param tokens  as above; the end token has the highest id
  /// @return        [B, E], of length 1
  at::Tensor pooled(const at::Tensor& tokens);

 private:
  at::Tensor states(const at::Tensor& tokens, const Observer& observe);

  torch::nn::ModuleList resblocks_;
  at::Tensor token_embedding_weight_, positional_embedding, text_projection;
  Norm ln_final;
};
TORCH_MODULE(ClipText);

}  // namespace qingyin
