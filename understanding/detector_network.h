#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cstdint>
#include <string>
#include <vector>

namespace qingyin {

struct DetectorConfig {
  std::int64_t first = 24, second = 48, third = 80;  // channels of the picture's three grids
  std::int64_t dim = 160;                            // D, channels over time
  std::int64_t hidden = 320;
  std::int64_t past = 12, future = 2;  // maps that one block over time sees before and after
  std::int64_t blocks = 4;
};

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const DetectorConfig& config);

/// What the network says about each motion map. K onset kinds, L lasting kinds.
struct DetectorOutput {
  at::Tensor onset;      // [B, T] logit: something is heard to begin between the map's two frames
  at::Tensor share;      // [B, T] logit of how far between them
  at::Tensor kind;       // [B, T, K] logits of what begins
  at::Tensor intensity;  // [B, T] in [0, 1], of what begins
  at::Tensor place;      // [B, T, 2] right and up, [-1, 1], of what begins
  at::Tensor lasting;    // [B, T, L] logits of what goes on
};

/// One weight per channel and step of time: [B, T, C, ...] -> the same, `past` steps before and
/// `future` steps after seen. Keys: weight, bias.
class TimeConvImpl : public torch::nn::Module {
 public:
  TimeConvImpl(std::int64_t channels, std::int64_t past, std::int64_t future);
  at::Tensor forward(const at::Tensor& x);

 private:
  std::int64_t past_, future_;
  at::Tensor weight;  // [past + 1 + future, C]
  at::Tensor bias;    // [C]
};
TORCH_MODULE(TimeConv);

/// A block over time as in ConvNeXt (Liu et al., "A ConvNet for the 2020s", 2022), which sees more
/// of the past than of the future. Keys: depthwise, norm, pointwise1, pointwise2.
class TimeBlockImpl : public torch::nn::Module {
 public:
  explicit TimeBlockImpl(const DetectorConfig& config);
  at::Tensor forward(const at::Tensor& x);  // [B, T, D] -> [B, T, D]

 private:
  TimeConv depthwise;
  torch::nn::LayerNorm norm;
  torch::nn::Linear pointwise1, pointwise2;
};
TORCH_MODULE(TimeBlock);

/// The detector network: convolutions over each motion map's cells with a short view over time at
/// every place, then blocks over time.
///
/// Shapes: B batch, T maps, C kMapChannels, D width. Members without a trailing underscore are
/// checkpoint keys.
class DetectorNetworkImpl : public torch::nn::Module {
 public:
  explicit DetectorNetworkImpl(const DetectorConfig& config = {});

  /// Maps before and after a map that can change what is said about it.
  std::int64_t past_maps() const;
  std::int64_t future_maps() const;

  /// @param maps  [B, T, C, kMapRows, kMapColumns]; beyond both ends stands nothing
  DetectorOutput forward(const at::Tensor& maps);

 private:
  DetectorConfig config_;
  torch::nn::Conv2d cells1, cells2, cells3;
  TimeConv time1, time2;
  torch::nn::Linear gather;
  torch::nn::LayerNorm gather_norm;
  torch::nn::ModuleList blocks;
  torch::nn::LayerNorm norm;
  torch::nn::Linear output;
};
TORCH_MODULE(DetectorNetwork);

}  // namespace qingyin
