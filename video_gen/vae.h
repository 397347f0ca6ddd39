#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "models/layers/plain.h"
#include "video_gen/vae_blocks.h"
#include "video_gen/vae_config.h"
#include "video_gen/vae_tiles.h"

namespace qingyin {

/// Frames that go through a network together. The group normalisations see one batch, so that its
/// length is part of the published models: 8 frames into the encoder, 2 latent frames into the
/// decoder, and what does not divide joins the first batch.
struct FrameBatch {
  std::int64_t first, count;

  friend bool operator==(const FrameBatch&, const FrameBatch&) = default;
};
inline constexpr std::int64_t kEncoderFrames = 8, kDecoderFrames = 2;
std::vector<FrameBatch> frame_batches(std::int64_t frames, std::int64_t batch);

/// "encoder": a batch of frames to the parameters of its latents' distribution.
class CogVaeEncoderImpl : public torch::nn::Module {
 public:
  explicit CogVaeEncoderImpl(const CogVaeConfig& config);

  /// @param pixels  [1, 3, F, H, W] in [-1, 1], the next frames of a clip
  /// @param cache   of the clip; empty at its beginning
  /// @return        [1, 2 Cz, ceil(F / 4), H/8, W/8], means then logarithms of variances
  at::Tensor forward(const at::Tensor& pixels, VaeCache& cache,
                     const Observer& observer = {}) const;

 private:
  VaeCausalConv conv_in;
  std::vector<VaeLevel> down_blocks_;
  VaeLevel mid_block;
  VaeNorm norm_out;
  VaeCausalConv conv_out;
};
TORCH_MODULE(CogVaeEncoder);

/// "decoder": a batch of latent frames to frames.
class CogVaeDecoderImpl : public torch::nn::Module {
 public:
  explicit CogVaeDecoderImpl(const CogVaeConfig& config);

  /// @param latents  [1, Cz, f, h, w], unscaled, the next frames of a clip
  /// @return         [1, 3, F, 8h, 8w] around [-1, 1]; F is 4f, or 4f - 3 if f is odd
  at::Tensor forward(const at::Tensor& latents, VaeCache& cache,
                     const Observer& observer = {}) const;

 private:
  VaeCausalConv conv_in;
  VaeLevel mid_block;
  std::vector<VaeLevel> up_blocks_;
  VaeNorm norm_out;
  VaeCausalConv conv_out;
};
TORCH_MODULE(CogVaeDecoder);

/// What the encoder gives: a normal distribution for each latent. [B, Cz, f, h, w] both.
struct LatentDistribution {
  at::Tensor mean;
  at::Tensor log_variance;  // within -30 and 20

  /// mean + sqrt(variance) * noise; noise like `mean`.
  at::Tensor sample(const at::Tensor& noise) const;
};

/// The 3-D causal VAE of CogVideoX (Yang et al., 2024; diffusers 0.42,
/// autoencoders/autoencoder_kl_cogvideox.py): 8 x 8 pixels and 4 frames become one latent.
///
/// Each clip of a batch is done by itself, which changes no result. With a grid, frames that are
/// larger than its tiles are done in tiles, each a clip of its own, and blended. Weights arrive by
/// `adopt_weights`, to either half alone if the other is not used; then const calls may overlap.
class CogVaeImpl : public torch::nn::Module {
 public:
  explicit CogVaeImpl(const CogVaeConfig& config);

  /// @param pixels  [B, 3, F, H, W] in [-1, 1], or uint8
  LatentDistribution encode(const at::Tensor& pixels, const std::optional<TileGrid>& grid = {},
                            const Observer& observer = {}) const;

  /// @param latents  [B, Cz, f, h, w], unscaled: divided by `scaling_factor`
  /// @return         [B, 3, F, H, W] around [-1, 1]. An odd f gives 4f - 3 frames, an even one 4f
  at::Tensor decode(const at::Tensor& latents, const std::optional<TileGrid>& grid = {},
                    const Observer& observer = {}) const;

  /// The same for one clip, handed over as soon as it is done: without tiles in batches of frames,
  /// with tiles each for all frames of the clip, in rows from the top left.
  /// @param take  gets [1, 3, F, H, W] and where its first frame, row and column belong
  using PartTaker = std::function<void(const at::Tensor& part, const VideoPlace& place)>;
  void decode_parts(const at::Tensor& latents, const std::optional<TileGrid>& grid,
                    const PartTaker& take, const Observer& observer = {}) const;

  const CogVaeConfig& config() const { return config_; }

  CogVaeEncoder encoder;
  CogVaeDecoder decoder;

 private:
  CogVaeConfig config_;
};
TORCH_MODULE(CogVae);

/// Frames that a number of latent frames decodes to.
std::int64_t decoded_frames(const CogVaeConfig& config, std::int64_t latent_frames);

}  // namespace qingyin
