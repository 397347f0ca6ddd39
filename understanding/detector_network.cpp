#include "understanding/detector_network.h"

#include <ATen/ATen.h>
#include <torch/types.h>

#include <cmath>

#include "core/error.h"
#include "understanding/motion_map.h"
#include "understanding/picture_kinds.h"

namespace qingyin {
namespace nn = torch::nn;
namespace {

/// What the short views over the cells see.
constexpr std::int64_t kCellPast = 3, kCellFuture = 1;
/// Cells of the last grid: two halvings.
constexpr std::int64_t kLastCells = kMapCells / 16;
constexpr auto kKinds = static_cast<std::int64_t>(kOnsetKinds);
constexpr auto kLasting = static_cast<std::int64_t>(kLastingKinds);
constexpr std::int64_t kOutputs = 5 + kKinds + kLasting;

nn::Conv2d cells_conv(std::int64_t in, std::int64_t out, std::int64_t stride) {
  return nn::Conv2d(nn::Conv2dOptions(in, out, 3).stride(stride).padding(1));
}

nn::LayerNorm layer_norm(std::int64_t dim) { return nn::LayerNorm(nn::LayerNormOptions({dim})); }

}  // namespace

std::vector<std::string> problems(const DetectorConfig& c) {
  std::vector<std::string> found;
  if (c.first < 1 || c.second < 1 || c.third < 1) {
    found.push_back("first, second and third must be at least 1");
  }
  if (c.dim < 1 || c.hidden < 1) found.push_back("dim and hidden must be at least 1");
  if (c.past < 0 || c.future < 0) found.push_back("past and future must not be negative");
  if (c.blocks < 1) found.push_back("blocks must be at least 1");
  return found;
}

TimeConvImpl::TimeConvImpl(std::int64_t channels, std::int64_t past, std::int64_t future)
    : past_(past),
      future_(future),
      weight(register_parameter("weight", at::randn({past + 1 + future, channels}) /
                                              std::sqrt(static_cast<double>(past + 1 + future)))),
      bias(register_parameter("bias", at::zeros({channels}))) {}

at::Tensor TimeConvImpl::forward(const at::Tensor& x) {
  const std::int64_t steps = x.size(1);
  std::vector<std::int64_t> pads(2 * static_cast<std::size_t>(x.dim() - 1), 0);
  pads[pads.size() - 2] = past_;
  pads[pads.size() - 1] = future_;
  const at::Tensor padded = at::constant_pad_nd(x, pads);
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim() - 2), 1);
  shape[0] = x.size(2);
  at::Tensor y = bias.view(shape).expand_as(x);
  for (std::int64_t k = 0; k <= past_ + future_; ++k) {
    y = at::addcmul(y, padded.narrow(1, k, steps), weight[k].view(shape));
  }
  return y;
}

TimeBlockImpl::TimeBlockImpl(const DetectorConfig& c)
    : depthwise(register_module("depthwise", TimeConv(c.dim, c.past, c.future))),
      norm(register_module("norm", layer_norm(c.dim))),
      pointwise1(register_module("pointwise1", nn::Linear(c.dim, c.hidden))),
      pointwise2(register_module("pointwise2", nn::Linear(c.hidden, c.dim))) {}

at::Tensor TimeBlockImpl::forward(const at::Tensor& x) {
  return x + pointwise2(at::gelu(pointwise1(norm(depthwise(x))), "tanh"));
}

DetectorNetworkImpl::DetectorNetworkImpl(const DetectorConfig& c)
    : config_(c),
      cells1(register_module("cells1", cells_conv(kMapChannels, c.first, 1))),
      cells2(register_module("cells2", cells_conv(c.first, c.second, 2))),
      cells3(register_module("cells3", cells_conv(c.second, c.third, 2))),
      time1(register_module("time1", TimeConv(c.first, kCellPast, kCellFuture))),
      time2(register_module("time2", TimeConv(c.second, kCellPast, kCellFuture))),
      gather(register_module("gather", nn::Linear(c.third * kLastCells, c.dim))),
      gather_norm(register_module("gather_norm", layer_norm(c.dim))),
      blocks(register_module("blocks", nn::ModuleList())),
      norm(register_module("norm", layer_norm(c.dim))),
      output(register_module("output", nn::Linear(c.dim, kOutputs))) {
  const auto found = problems(c);
  require(found.empty(), ErrorCode::kInternal,
          "detector network: " + (found.empty() ? "" : found.front()));
  for (std::int64_t b = 0; b < c.blocks; ++b) blocks->push_back(TimeBlock(c));
}

std::int64_t DetectorNetworkImpl::past_maps() const {
  return 2 * kCellPast + config_.blocks * config_.past;
}

std::int64_t DetectorNetworkImpl::future_maps() const {
  return 2 * kCellFuture + config_.blocks * config_.future;
}

DetectorOutput DetectorNetworkImpl::forward(const at::Tensor& maps) {
  const std::int64_t batch = maps.size(0), steps = maps.size(1);
  const auto over_time = [&](const at::Tensor& x, TimeConv& view) {
    const at::Tensor y =
        x.view({batch, steps, x.size(1), x.size(2), x.size(3)});  // [B, T, C, rows, columns]
    return at::gelu(y + view(y), "tanh").view(x.sizes());
  };
  at::Tensor x = cells1(maps.reshape({batch * steps, kMapChannels, kMapRows, kMapColumns}));
  x = over_time(x, time1);
  x = over_time(cells2(x), time2);
  x = at::gelu(cells3(x), "tanh");                         // [B * T, C3, 2, 3]
  x = gather_norm(gather(x.reshape({batch, steps, -1})));  // [B, T, D]
  for (const auto& block : *blocks) x = block->as<TimeBlockImpl>()->forward(x);
  const auto parts =
      output(norm(x)).to(at::kFloat).split_with_sizes({1, 1, kKinds, 1, 2, kLasting}, 2);
  return {parts[0].squeeze(2),           parts[1].squeeze(2), parts[2],
          parts[3].squeeze(2).sigmoid(), parts[4].tanh(),     parts[5]};
}

}  // namespace qingyin
