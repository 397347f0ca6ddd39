#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/layers/placeholder.h"
#include "video_gen/vae_conv.h"

namespace qingyin {

// Parts of the causal video VAE (diffusers 0.42, autoencoders/autoencoder_kl_cogvideox.py). Shapes:
// C channels, F frames, H x W pixels or latents, h x w latents.

/// Group normalisation over the frames of the batch, then SiLU. With latents, its gain and offset
/// are convolutions of these ("norm_layer", "conv_y", "conv_b"; Zheng et al., "MoVQ", 2022), else
/// its own ("weight", "bias").
class VaeNormImpl : public torch::nn::Module {
 public:
  /// @param latent_channels  0: without latents
  VaeNormImpl(std::int64_t channels, std::int64_t groups, double eps, std::int64_t latent_channels);

  /// The norm of one batch: scale and offset of every channel, at the latents' size with latents.
  class Affine {
   public:
    /// Frame `f` of the batch, normed, in memory of its own.
    at::Tensor of(const at::Tensor& frame, std::size_t f) const;
    /// Whether two frames that share their memory have one result.
    bool treats_alike(std::size_t f, std::size_t g) const { return places_[f] == places_[g]; }

   private:
    friend class VaeNormImpl;
    VaeFrames scale_, offset_;         // [1, C, h, w] each, or one [1, C, 1, 1]
    std::vector<std::size_t> places_;  // which of them a frame gets
  };

  /// @param x        of the batch
  /// @param latents  [1, Cz, Fz, h, w], H and W multiples of h and w; undefined without latents
  Affine over(const VaeFrames& x, const at::Tensor& latents) const;

 private:
  std::int64_t groups_;
  double eps_;
  at::Tensor weight, bias;
  VaeConv conv_y_{nullptr}, conv_b_{nullptr};
};
TORCH_MODULE(VaeNorm);

/// A norm and a convolution behind it, frame by frame.
/// @param done  called with each frame's number and result; the frame is let go before, unless
///              `done` has it
template <class Done>
void norm_and_conv(const VaeNorm& norm, const VaeCausalConv& conv, VaeFrames& x,
                   const at::Tensor& latents, VaeCache& cache, const Done& done) {
  const VaeNormImpl::Affine affine = norm->over(x, latents);
  VaeCausalConvImpl::Run run(*conv, cache);
  at::Tensor normed, source;
  for (std::size_t f = 0; f < x.size(); ++f) {
    const bool is_repeated = f > 0 && x[f].is_same(source) && affine.treats_alike(f - 1, f);
    source = x[f];
    if (!is_repeated) normed = affine.of(source, f);
    done(f, run.next(normed));
  }
}

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

  VaeFrames forward(VaeFrames x, const at::Tensor& latents, VaeCache& cache) const;

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
VaeFrames downsampled(VaeFrames x, const VaeConv& conv, TimeScaling time);

/// Twice each side by repetition, then a 3 x 3 convolution; if time is doubled every frame comes
/// twice, in one memory, except the first of an odd number.
VaeFrames upsampled(VaeFrames x, const VaeConv& conv, TimeScaling time);

/// A level of the network: resnets, then perhaps a sampler ("downsamplers.0", "upsamplers.0").
class VaeLevelImpl : public torch::nn::Module {
 public:
  enum class Sampler { kNone, kDown, kUp };

  VaeLevelImpl(std::int64_t in, std::int64_t out, std::int64_t resnets, const VaeBlockShape& shape,
               Sampler sampler, TimeScaling time);

  VaeFrames forward(VaeFrames x, const at::Tensor& latents, VaeCache& cache) const;

 private:
  std::vector<VaeResnet> resnets_;
  Sampler sampler_;
  TimeScaling time_;
  VaeConv sampler_conv_{nullptr};
};
TORCH_MODULE(VaeLevel);

}  // namespace qingyin
