#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>

#include "audio_gen/mmaudio/tile_conv.h"
#include "audio_gen/mmaudio/time_conv.h"

namespace qingyin::mmaudio {

/// What TimeConv computes, for networks that only run: float32 on a CPU is computed by tiles
/// (tile_conv.h), which takes about half the time and is as exact up to rounding. The first such
/// call, or `prepare`, brings the weight into another form and leaves the parameter empty, so that
/// it is in memory once: a prepared layer takes no other weights and stays where it is.
///
/// Keys: weight, bias.
class TileConvImpl : public torch::nn::Module {
 public:
  /// As of TimeConv. @param kernel  odd
  TileConvImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, bool has_bias,
               const at::TensorOptions& options, std::int64_t dilation = 1);

  /// [B, T, in] -> [B, T, out]
  at::Tensor forward(const at::Tensor& x);
  /// The same added to `sum`, in its memory where that can be. [B, T, in] -> [B, T, out]
  at::Tensor add_to(const at::Tensor& sum, const at::Tensor& x);

  /// Does what the first call would do, if it is not done.
  void prepare();

 private:
  bool can_run_by_tiles(const at::Tensor& x) const;
  void run_by_tiles(const at::Tensor& x, const at::Tensor& y, bool adds);

  std::int64_t dilation_;
  TimeConv direct_;  // not registered: its parameters are this layer's
  at::Tensor weight, bias;
  std::shared_ptr<const TileWeight> tiles_;
};
TORCH_MODULE(TileConv);

/// Prepares every TileConv below a network.
void prepare_tiles(torch::nn::Module& network);

}  // namespace qingyin::mmaudio
