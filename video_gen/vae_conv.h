#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace qingyin {

// Causal convolutions of the video VAE, frame by frame. Shapes: C channels, F frames, H x W pixels.

/// Frames of a clip's batch, each [1, C, H, W] with the channels of a pixel next to one another:
/// convolutions take them so without a copy, and each is let go as soon as it is used, for at full
/// size all frames of one activation are 3 GB. Frames that are the same may share their memory.
using VaeFrames = std::vector<at::Tensor>;

/// [1, C, F, H, W] as frames.
VaeFrames frames_of(const at::Tensor& clip);
/// And back, in the usual order of memory.
at::Tensor clip_of_frames(const VaeFrames& frames);

/// The last frames that each causal convolution saw, in the order in which a network runs them:
/// what a clip's next batch of frames goes on from.
class VaeCache {
 public:
  /// Two frames, the later one last; undefined in the first batch.
  using History = std::array<at::Tensor, 2>;

  /// The next convolution's frames.
  History& next();
  /// Back to the first convolution, for the next batch.
  void rewind() { position_ = 0; }

 private:
  std::vector<History> frames_;
  std::size_t position_ = 0;
};

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

  /// A run over the frames of a batch, one by one: a 3 x 3 convolution of each of the last three,
  /// summed. Frames that share their memory are convolved once, with the sum of their weights.
  class Run {
   public:
    Run(const VaeCausalConvImpl& conv, VaeCache& cache);
    /// @param frame  [1, in, H, W], the next one; not to be changed afterwards
    /// @return       [1, out, H, W]
    at::Tensor next(const at::Tensor& frame);

   private:
    at::Tensor weight_of(std::size_t first, std::size_t last);

    const VaeCausalConvImpl& conv_;
    VaeCache::History& history_;
    std::array<std::array<at::Tensor, 3>, 3> weights_;  // sums from one frame's to another's
  };

  /// All frames of a batch; each is let go when it is done.
  VaeFrames forward(VaeFrames frames, VaeCache& cache) const;

  at::ScalarType dtype() const { return conv->weight.scalar_type(); }

 private:
  VaeConv conv;
};
TORCH_MODULE(VaeCausalConv);

}  // namespace qingyin
