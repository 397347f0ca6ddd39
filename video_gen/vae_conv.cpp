#include "video_gen/vae_conv.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <utility>

#include "models/layers/placeholder.h"

namespace qingyin {
namespace {

constexpr std::int64_t kTime = 2;              // the frames' dimension
constexpr std::int64_t kSmallFrame = 1 << 15;  // elements; below, the way of adding costs nothing

using Pointwise = at::Tensor&(at::Tensor&, const at::Tensor&, const at::Tensor&,
                              const std::optional<at::Tensor>&, at::IntArrayRef, at::IntArrayRef,
                              at::IntArrayRef, std::int64_t, c10::string_view,
                              std::optional<at::Scalar>, std::optional<c10::string_view>,
                              c10::List<std::optional<at::Scalar>>,
                              std::optional<c10::string_view>);
using PointwiseHandle = std::optional<c10::TypedOperatorHandle<Pointwise>>;

/// oneDNN's convolution that adds to what is there; none in a libtorch that was built without it.
const PointwiseHandle& adding_convolution() {
  static const PointwiseHandle handle = []() -> PointwiseHandle {
    if (!at::globalContext().hasMKLDNN()) return {};
    const auto schema =
        c10::Dispatcher::singleton().findSchema({"mkldnn::_convolution_pointwise_", "binary"});
    if (!schema) return {};
    return schema->typed<Pointwise>();
  }();
  return handle;
}

/// out += the 3 x 3 convolution of `x`.
void add_convolution(at::Tensor& out, const at::Tensor& x, const at::Tensor& weight) {
  const auto is_plain = [](const at::Tensor& t) {
    return t.is_contiguous(at::MemoryFormat::ChannelsLast) && !t.is_contiguous();
  };
  const bool is_fast = x.device().is_cpu() && x.scalar_type() == at::kFloat &&
                       x.numel() >= kSmallFrame && is_plain(x) && is_plain(out) &&
                       !at::GradMode::is_enabled() && at::globalContext().userEnabledMkldnn() &&
                       adding_convolution().has_value();
  if (!is_fast) {
    out.add_(at::conv2d(x, weight, {}, /*stride=*/1, /*padding=*/1));
    return;
  }
  const std::array<std::int64_t, 2> ones{1, 1};
  adding_convolution()->call(out, x, weight, std::nullopt, ones, ones, ones, 1, "add", 1.0,
                             std::nullopt, c10::List<std::optional<at::Scalar>>(), std::nullopt);
}

bool has_short_numbers(const at::Tensor& x) {
  return x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf;
}

}  // namespace

VaeFrames frames_of(const at::Tensor& clip) {
  VaeFrames frames;
  for (const at::Tensor& frame : clip.unbind(kTime))
    frames.push_back(frame.contiguous(at::MemoryFormat::ChannelsLast));
  return frames;
}

at::Tensor clip_of_frames(const VaeFrames& frames) {
  const at::Tensor& first = frames.front();
  at::Tensor clip =
      at::empty({first.size(0), first.size(1), static_cast<std::int64_t>(frames.size()),
                 first.size(2), first.size(3)},
                first.options());
  for (std::size_t f = 0; f < frames.size(); ++f)
    clip.select(kTime, static_cast<std::int64_t>(f)).copy_(frames[f]);
  return clip;
}

VaeCache::History& VaeCache::next() {
  if (position_ == frames_.size()) frames_.emplace_back();
  return frames_[position_++];
}

VaeConvImpl::VaeConvImpl(std::vector<std::int64_t> weight_shape)
    : weight(register_parameter("weight", placeholder(weight_shape), /*requires_grad=*/false)),
      bias(register_parameter("bias", placeholder({weight_shape.front()}),
                              /*requires_grad=*/false)) {}

VaeCausalConvImpl::VaeCausalConvImpl(std::int64_t in, std::int64_t out)
    : conv(register_module("conv", VaeConv(std::vector<std::int64_t>{out, in, 3, 3, 3}))) {}

VaeCausalConvImpl::Run::Run(const VaeCausalConvImpl& conv, VaeCache& cache)
    : conv_(conv), history_(cache.next()) {}

/// Summed over the frames from `first` to `last`, [out, in, 3, 3].
at::Tensor VaeCausalConvImpl::Run::weight_of(std::size_t first, std::size_t last) {
  at::Tensor& weight = weights_[first][last];
  if (weight.defined()) return weight;
  const at::Tensor& all = conv_.conv->weight;
  const auto from = static_cast<std::int64_t>(first), to = static_cast<std::int64_t>(last);
  weight = (first == last ? all.select(kTime, from)
                          : all.narrow(kTime, from, to - from + 1).sum(kTime, false, at::kFloat))
               .to(all.scalar_type())
               .contiguous(at::MemoryFormat::ChannelsLast);
  return weight;
}

at::Tensor VaeCausalConvImpl::Run::next(const at::Tensor& frame) {
  if (!history_[1].defined()) history_ = {frame, frame};
  const std::array<at::Tensor, 3> seen{history_[0], history_[1], frame};
  history_ = {seen[1], frame};
  std::vector<at::Tensor> frames, weights;  // that differ, the latest first
  for (std::size_t end = seen.size(); end > 0;) {
    std::size_t first = end - 1;
    while (first > 0 && seen[first - 1].is_same(seen[end - 1])) --first;
    frames.push_back(seen[end - 1]);
    weights.push_back(weight_of(first, end - 1));
    end = first;
  }
  // Short numbers would be rounded at every addition.
  if (has_short_numbers(frame) && frames.size() > 1) {
    frames = {at::cat(frames, 1)};
    weights = {at::cat(weights, 1)};
  }
  at::Tensor out = at::conv2d(frames[0], weights[0], conv_.conv->bias, /*stride=*/1, /*padding=*/1);
  for (std::size_t i = 1; i < frames.size(); ++i) add_convolution(out, frames[i], weights[i]);
  return out;
}

VaeFrames VaeCausalConvImpl::forward(VaeFrames x, VaeCache& cache) const {
  Run run(*this, cache);
  for (at::Tensor& frame : x) frame = run.next(frame);
  return x;
}

}  // namespace qingyin
