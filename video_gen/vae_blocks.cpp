#include "video_gen/vae_blocks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>
#include <utility>

namespace qingyin {
namespace {

// Elementwise work goes over a frame in bands of rows of so many bytes, which stay in the caches.
constexpr std::int64_t kBandBytes = std::int64_t{1} << 20;

/// The frame of the latents that belongs to frame `f` of `frames`: nearest neighbours, the first
/// of an odd number apart from the rest.
std::int64_t latent_frame(std::int64_t f, std::int64_t frames, std::int64_t latent_frames) {
  if (frames == 1 || frames % 2 == 0) return f * latent_frames / frames;
  return f == 0 ? 0 : 1 + (f - 1) * (latent_frames - 1) / (frames - 1);
}

at::Tensor enlarged(const at::Tensor& x, std::int64_t height, std::int64_t width) {
  if (x.size(-2) == height && x.size(-1) == width) return x;
  return at::upsample_nearest2d(x, {height, width});
}

/// Calls `work(first, count)` for runs of a frame's rows, from `begin` to `end`, that fill a band.
template <class Work>
void for_bands(const at::Tensor& frame, std::int64_t begin, std::int64_t end, const Work& work) {
  const std::int64_t row_bytes = static_cast<std::int64_t>(frame.nbytes()) / frame.size(2);
  const std::int64_t count = std::max<std::int64_t>(1, kBandBytes / row_bytes);
  for (std::int64_t first = begin; first < end; first += count)
    work(first, std::min(count, end - first));
}

/// Mean and variance of each channel over all frames, [C] double each.
std::pair<at::Tensor, at::Tensor> channel_moments(const VaeFrames& x) {
  std::vector<at::Tensor> means,
      squares;  // of each band: mean, and squares of what differs from it
  std::vector<double> counts;
  for (std::size_t f = 0; f < x.size(); ++f)
    for_bands(x[f], 0, x[f].size(2), [&](std::int64_t first, std::int64_t count) {
      const at::Tensor band = x[f].narrow(2, first, count)
                                  .permute({0, 2, 3, 1})
                                  .reshape({-1, x[f].size(1)})
                                  .to(at::kFloat);  // [n, C]
      means.push_back(band.mean(0));
      squares.push_back((band - means.back()).square_().sum(0));
      counts.push_back(static_cast<double>(band.size(0)));
    });
  const at::Tensor n = at::tensor(counts, at::kDouble).to(x.front().device()).unsqueeze(1);
  const at::Tensor mean_of = at::stack(means).to(at::kDouble), all = n.sum();
  const at::Tensor mean = (mean_of * n).sum(0) / all;
  const at::Tensor sum =
      at::stack(squares).to(at::kDouble).sum(0) + ((mean_of - mean).square() * n).sum(0);
  return {mean, sum / all};
}

/// Scale and offset that a group normalisation gives each channel, [1, C, 1, 1, 1] each.
std::pair<at::Tensor, at::Tensor> group_affine(const VaeFrames& x, std::int64_t groups, double eps,
                                               const at::Tensor& weight, const at::Tensor& bias) {
  const auto [mean, variance] = channel_moments(x);
  const at::Tensor by_group = mean.view({groups, -1});  // [G, C / G]
  const at::Tensor centre = by_group.mean(1, true);
  const at::Tensor spread =
      variance.view({groups, -1}).mean(1, true) + (by_group - centre).square().mean(1, true);
  const at::Tensor scale = (at::rsqrt(spread + eps).expand_as(by_group).flatten() * weight);
  const at::Tensor offset = bias - centre.expand_as(by_group).flatten() * scale;
  const auto shaped = [&](const at::Tensor& value) {
    return value.to(x.front().scalar_type()).view({1, -1, 1, 1, 1});
  };
  return {shaped(scale), shaped(offset)};
}

/// A convolution of one frame.
at::Tensor conv_of(const at::Tensor& frame, const at::Tensor& weight, const at::Tensor& bias,
                   std::int64_t stride, std::int64_t padding) {
  return at::conv2d(frame, weight.contiguous(at::MemoryFormat::ChannelsLast), bias, stride,
                    padding);
}

}  // namespace

VaeNormImpl::VaeNormImpl(std::int64_t channels, std::int64_t groups, double eps,
                         std::int64_t latent_channels)
    : groups_(groups), eps_(eps) {
  torch::nn::Module* owner = this;
  if (latent_channels > 0) {
    owner = register_module("norm_layer", std::make_shared<ModuleGroup>()).get();
    const std::vector<std::int64_t> shape{channels, latent_channels, 1, 1, 1};
    conv_y_ = VaeConv(shape);
    conv_b_ = VaeConv(shape);
    register_module("conv_y", std::make_shared<ModuleGroup>())->register_module("conv", conv_y_);
    register_module("conv_b", std::make_shared<ModuleGroup>())->register_module("conv", conv_b_);
  }
  weight = owner->register_parameter("weight", placeholder({channels}), /*requires_grad=*/false);
  bias = owner->register_parameter("bias", placeholder({channels}), /*requires_grad=*/false);
}

VaeNormImpl::Affine VaeNormImpl::over(const VaeFrames& x, const at::Tensor& latents) const {
  const auto [scale, offset] = group_affine(x, groups_, eps_, weight, bias);
  Affine affine;
  affine.places_.assign(x.size(), 0);
  if (conv_y_.is_empty()) {
    affine.scale_ = frames_of(scale);
    affine.offset_ = frames_of(offset);
    return affine;
  }
  // (x s + o) y + b = x (s y) + (o y + b); a 1 x 1 convolution of repeated latents is the repeated
  // convolution, so that both factors are made at the latents' size.
  const at::Tensor y = at::conv3d(latents, conv_y_->weight, conv_y_->bias);
  affine.scale_ = frames_of(y * scale);
  affine.offset_ =
      frames_of(at::addcmul(at::conv3d(latents, conv_b_->weight, conv_b_->bias), y, offset));
  const auto frames = static_cast<std::int64_t>(x.size());
  for (std::int64_t f = 0; f < frames; ++f)
    affine.places_[static_cast<std::size_t>(f)] =
        static_cast<std::size_t>(latent_frame(f, frames, latents.size(2)));
  return affine;
}

at::Tensor VaeNormImpl::Affine::of(const at::Tensor& frame, std::size_t f) const {
  const at::Tensor &scale = scale_[places_[f]], &offset = offset_[places_[f]];
  at::Tensor out = at::empty_like(frame);
  const std::int64_t repeats = frame.size(2) / scale.size(2);
  for (std::int64_t row = 0; row < scale.size(2); ++row) {
    const auto wide = [&](const at::Tensor& value) {  // [1, C, 1, W]
      return enlarged(value.narrow(2, row, 1), 1, frame.size(3))
          .contiguous(at::MemoryFormat::ChannelsLast);
    };
    const at::Tensor row_scale = wide(scale), row_offset = wide(offset);
    for_bands(frame, row * repeats, (row + 1) * repeats,
              [&](std::int64_t first, std::int64_t count) {
                at::Tensor band = out.narrow(2, first, count);
                at::addcmul_out(band, row_offset, frame.narrow(2, first, count), row_scale);
                at::silu_(band);
              });
  }
  return out;
}

VaeResnetImpl::VaeResnetImpl(std::int64_t in, std::int64_t out, const VaeBlockShape& s)
    : norm1(register_module("norm1", VaeNorm(in, s.groups, s.eps, s.latent_channels))),
      conv1(register_module("conv1", VaeCausalConv(in, out))),
      norm2(register_module("norm2", VaeNorm(out, s.groups, s.eps, s.latent_channels))),
      conv2(register_module("conv2", VaeCausalConv(out, out))) {
  if (in != out)
    conv_shortcut =
        register_module("conv_shortcut", VaeConv(std::vector<std::int64_t>{out, in, 1, 1, 1}));
}

VaeFrames VaeResnetImpl::forward(VaeFrames x, const at::Tensor& latents, VaeCache& cache) const {
  VaeFrames h(x.size());
  norm_and_conv(norm1, conv1, x, latents, cache, [&](std::size_t f, at::Tensor result) {
    h[f] = std::move(result);
    if (!conv_shortcut.is_empty())
      x[f] = conv_of(x[f], conv_shortcut->weight.select(2, 0), conv_shortcut->bias, 1, 0);
  });
  norm_and_conv(norm2, conv2, h, latents, cache, [&](std::size_t f, at::Tensor result) {
    h[f].reset();
    x[f] = result.add_(x[f]);
  });
  return x;
}

VaeFrames downsampled(VaeFrames x, const VaeConv& conv, TimeScaling time) {
  const bool is_halved = time == TimeScaling::kHalvedOrDoubled;
  const std::size_t alone = is_halved ? x.size() % 2 : x.size();  // frames that are not averaged
  VaeFrames out;
  for (std::size_t f = 0; f < x.size(); f += f < alone ? 1 : 2) {
    const at::Tensor frame = f < alone ? x[f] : (x[f] + x[f + 1]).div_(2);
    out.push_back(conv_of(at::constant_pad_nd(frame, {0, 1, 0, 1}), conv->weight, conv->bias,
                          /*stride=*/2, /*padding=*/0));  // [1, C, H/2, W/2]
    x[f].reset();
    if (f >= alone) x[f + 1].reset();
  }
  return out;
}

VaeFrames upsampled(VaeFrames x, const VaeConv& conv, TimeScaling time) {
  const bool is_doubled = time == TimeScaling::kHalvedOrDoubled && x.size() > 1;
  const std::size_t alone = is_doubled ? x.size() % 2 : x.size();  // frames that come once
  VaeFrames out;
  for (std::size_t f = 0; f < x.size(); ++f) {
    const at::Tensor large = enlarged(x[f], 2 * x[f].size(2), 2 * x[f].size(3));
    x[f].reset();
    // The convolution is one of each frame alone: a repeated frame is computed once.
    out.push_back(conv_of(large, conv->weight, conv->bias, /*stride=*/1, /*padding=*/1));
    if (f >= alone) out.push_back(out.back());
  }
  return out;
}

VaeLevelImpl::VaeLevelImpl(std::int64_t in, std::int64_t out, std::int64_t resnets,
                           const VaeBlockShape& shape, Sampler sampler, TimeScaling time)
    : sampler_(sampler), time_(time) {
  const auto list = register_module("resnets", std::make_shared<ModuleGroup>());
  for (std::int64_t i = 0; i < resnets; ++i) {
    resnets_.emplace_back(i == 0 ? in : out, out, shape);
    list->register_module(std::to_string(i), resnets_.back());
  }
  if (sampler == Sampler::kNone) return;
  sampler_conv_ = VaeConv(std::vector<std::int64_t>{out, out, 3, 3});
  register_module(sampler == Sampler::kDown ? "downsamplers" : "upsamplers",
                  std::make_shared<ModuleGroup>())
      ->register_module("0", std::make_shared<ModuleGroup>())
      ->register_module("conv", sampler_conv_);
}

VaeFrames VaeLevelImpl::forward(VaeFrames x, const at::Tensor& latents, VaeCache& cache) const {
  for (const VaeResnet& resnet : resnets_) x = resnet->forward(std::move(x), latents, cache);
  if (sampler_ == Sampler::kDown) return downsampled(std::move(x), sampler_conv_, time_);
  if (sampler_ == Sampler::kUp) return upsampled(std::move(x), sampler_conv_, time_);
  return x;
}

}  // namespace qingyin
