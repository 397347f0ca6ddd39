#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "models/layers/placeholder.h"
#include "video_gen/positions.h"
#include "video_gen/transformer_block.h"
#include "video_gen/transformer_config.h"

namespace qingyin {

/// What a checkpoint's stored position table is used for.
enum class StoredPositions {
  kAsPublished,  // added at the native size; another size is refused
  kIgnored,      // nothing is added, and every size is allowed
};

/// The constant that 1.5 from an image is conditioned on.
inline constexpr double kOfs = 2.0;

/// What stays the same over all steps of a clip.
struct CogClip {
  LatentSize size;
  at::Tensor text;   // [B, N, D], embedded, with its part of the position table
  at::Tensor turns;  // [T, K/2] complex; undefined without rotary positions
  at::Tensor added;  // [1, T, D], the video's part of the position table; undefined: none
};

/// What the step's time decides, for a whole batch of one time or for each item.
struct CogStep {
  at::Tensor embedding;                           // [B or 1, E]
  std::vector<CogBlockImpl::Modulations> blocks;  // one per block
  at::Tensor output;                              // [B or 1, 2D], shift and scale of the last norm
};

/// The CogVideoX transformer in all its published shapes (Yang et al., "CogVideoX", 2024; diffusers
/// 0.42, models/transformers/cogvideox_transformer_3d.py). It predicts v of noisy latents.
///
/// Shapes: B batch, F latent frames, C channels, H x W latents, N text tokens, T video tokens, D
/// width of a token, E width of the time embedding. Frames stand before channels. There is no mask
/// anywhere. Weights arrive by `adopt_weights`; then const calls may overlap. float16 overflows in
/// the 5B models.
class CogTransformerImpl : public torch::nn::Module {
 public:
  explicit CogTransformerImpl(const CogTransformerConfig& config);

  /// @param text  [B, N, text_embed_dim] from the T5 encoder, padding included
  /// @throws Error kInvalidInput if the size does not fit the model
  CogClip prepare(const at::Tensor& text, const LatentSize& size,
                  StoredPositions stored = StoredPositions::kAsPublished) const;

  /// @param timesteps  [B], or [1] for the whole batch; 0 .. 999
  CogStep step(const at::Tensor& timesteps, double ofs = kOfs) const;

  /// The embedding of the time alone (and ofs): `step(..).embedding`.
  /// @return  [B, E]
  at::Tensor time_embedding(const at::Tensor& timesteps, double ofs = kOfs) const;

  /// @param latents   [B, F, in_channels, H, W]
  /// @param residual  if given, gets what the blocks add to the video tokens, for `reuse`
  /// @return          [B, F, out_channels, H, W]
  at::Tensor forward(const at::Tensor& latents, const CogClip& clip, const CogStep& step,
                     at::Tensor* residual = nullptr) const;

  /// The same with blocks that the caller runs, in their order.
  /// @param blocks  changes the tokens as all blocks do
  using BlocksRunner = std::function<void(CogTokens& tokens)>;
  at::Tensor forward_by(const BlocksRunner& blocks, const at::Tensor& latents, const CogClip& clip,
                        const CogStep& step, at::Tensor* residual = nullptr) const;

  /// The same with the blocks left out: `residual` of an earlier step stands for them (TeaCache).
  at::Tensor reuse(const at::Tensor& latents, const CogClip& clip, const CogStep& step,
                   const at::Tensor& residual) const;

  /// Makes queries, keys and values of every block one product; after `adopt_weights`. Meant for
  /// devices on which a product's start costs; on a CPU it is slower.
  void fuse();

  const CogTransformerConfig& config() const { return config_; }

  /// Parts, for tests that look for the first difference.
  at::Tensor embed(const at::Tensor& latents, const CogClip& clip) const;  // [B, T, D]
  CogTokens tokens_of(const at::Tensor& video, const CogClip& clip) const;
  const CogBlock& block(std::size_t i) const { return blocks_[i]; }

 private:
  at::Tensor position_table(const LatentSize& size, StoredPositions stored) const;
  at::Tensor finish(const at::Tensor& video, const CogClip& clip, const CogStep& step) const;
  at::ScalarType dtype() const { return proj_out->weight.scalar_type(); }
  void check_size(const at::Tensor& text, const LatentSize& size) const;

  CogTransformerConfig config_;
  std::vector<CogBlock> blocks_;
  at::Tensor patch_weight_, patch_bias_, pos_embedding_;
  PlainLinear text_proj_, time1_, time2_, ofs1_{nullptr}, ofs2_{nullptr};
  PlainLayerNorm norm_final;
  PlainLinear out_linear_;
  PlainLayerNorm out_norm_;
  PlainLinear proj_out;
};
TORCH_MODULE(CogTransformer);

/// [cos, sin] (or [sin, cos]) of t * 10000^(-i / (dim/2 - shift)).
/// @param t  [B], any type
/// @return   [B, dim] float32
at::Tensor sinusoids(const at::Tensor& t, std::int64_t dim, bool cosines_first, double shift);

}  // namespace qingyin
