#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/layers/placeholder.h"

namespace qingyin {

// Parts of the causal video VAE (diffusers 0.42, autoencoders/autoencoder_kl_cogvideox.py). Shapes:
// B batch, C channels, F frames, H x W pixels or latents, h x w latents. Blocks own what is moved
// into them and work in place where they can: at full size one activation is 0.8 GB.

/// The last frames that each causal convolution saw, in the order in which a network runs them:
/// what a clip's next batch of frames goes on from.
class VaeCache {
 public:
  /// The next convolution's frames; undefined in the first batch.
  at::Tensor& next();
  /// Back to the first convolution, for the next batch.
  void rewind() { position_ = 0; }

 private:
  std::vector<at::Tensor> frames_;
  std::size_t position_ = 0;
};

/// A convolution's memory is bounded by doing so many bytes of its input at a time. Changes no
/// result beyond rounding.
inline constexpr std::int64_t kConvBytes = std::int64_t{256} << 20;

/// Weights of a convolution over C, H, W and perhaps F: weight [out, in, ...], bias [out].
class VaeConvImpl : public torch::nn::Module {
 public:
  explicit VaeConvImpl(std::vector<std::int64_t> weight_shape);

  at::Tensor weight, bias;
};
TORCH_MODULE(VaeConv);

/// 3 x 3 x 3; time is padded on the left only, with the cache, or at a clip's beginning with its
/// first frame; space with zeros. Its one child is "conv".
class VaeCausalConvImpl : public torch::nn::Module {
 public:
  VaeCausalConvImpl(std::int64_t in, std::int64_t out);

  /// [B, in, F, H, W] -> [B, out, F, H, W]
  at::Tensor forward(const at::Tensor& x, VaeCache& cache,
                     std::int64_t bytes_at_once = kConvBytes) const;

  at::ScalarType dtype() const { return conv->weight.scalar_type(); }

 private:
  VaeConv conv;
};
TORCH_MODULE(VaeCausalConv);

/// Group normalisation over the frames of the batch, then SiLU. With latents, its gain and offset
/// are convolutions of these ("norm_layer", "conv_y", "conv_b"; Zheng et al., "MoVQ", 2022), else
/// its own ("weight", "bias").
class VaeNormImpl : public torch::nn::Module {
 public:
  /// @param latent_channels  0: without latents
  VaeNormImpl(std::int64_t channels, std::int64_t groups, double eps, std::int64_t latent_channels);

  /// @param x        [B, C, F, H, W], contiguous
  /// @param latents  [B, Cz, Fz, h, w], H and W multiples of h and w; undefined without latents
  /// @param out      where the result goes: `x` itself, or another tensor of its shape
  void apply(const at::Tensor& x, const at::Tensor& latents, at::Tensor& out) const;

 private:
  std::int64_t groups_;
  double eps_;
  at::Tensor weight, bias;
  VaeConv conv_y_{nullptr}, conv_b_{nullptr};
};
TORCH_MODULE(VaeNorm);

/// What all blocks of one VAE share.
struct VaeBlockShape {
  std::int64_t groups;
  double eps;
  std::int64_t latent_channels;  // of the norms; 0 in the encoder
};

/// norm1, conv1, norm2, conv2, and a shortcut where the widths differ.
class VaeResnetImpl : public torch::nn::Module {
 public:
  VaeResnetImpl(std::int64_t in, std::int64_t out, const VaeBlockShape& shape);

  /// [B, in, F, H, W] -> [B, out, F, H, W]
  at::Tensor forward(at::Tensor x, const at::Tensor& latents, VaeCache& cache) const;

 private:
  VaeNorm norm1;
  VaeCausalConv conv1;
  VaeNorm norm2;
  VaeCausalConv conv2;
  VaeConv conv_shortcut{nullptr};
};
TORCH_MODULE(VaeResnet);

enum class TimeScaling { kKept, kHalvedOrDoubled };

/// Half of each side: a 3 x 3 convolution of every second pixel, zeros past the right and the
/// bottom; before it, pairs of frames are averaged if time is halved (an odd first one stays).
at::Tensor downsampled(const at::Tensor& x, const VaeConv& conv, TimeScaling time);

/// Twice each side by repetition, then a 3 x 3 convolution; if time is doubled every frame comes
/// twice, except the first of an odd number.
at::Tensor upsampled(const at::Tensor& x, const VaeConv& conv, TimeScaling time);

/// A level of the network: resnets, then perhaps a sampler ("downsamplers.0", "upsamplers.0").
class VaeLevelImpl : public torch::nn::Module {
 public:
  enum class Sampler { kNone, kDown, kUp };

  VaeLevelImpl(std::int64_t in, std::int64_t out, std::int64_t resnets, const VaeBlockShape& shape,
               Sampler sampler, TimeScaling time);

  at::Tensor forward(at::Tensor x, const at::Tensor& latents, VaeCache& cache) const;

 private:
  std::vector<VaeResnet> resnets_;
  Sampler sampler_;
  TimeScaling time_;
  VaeConv sampler_conv_{nullptr};
};
TORCH_MODULE(VaeLevel);

}  // namespace qingyin
