#include "video_gen/vae_blocks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <string>
#include <utility>

namespace qingyin {
namespace {

constexpr std::int64_t kTime = 2;  // the frames' dimension

/// [B, C, H, W] of one frame, in memory of its own.
at::Tensor frame_of(const at::Tensor& x, std::int64_t i) { return x.select(kTime, i).contiguous(); }

/// Frames [first, first + count) of `before` followed by `x`.
at::Tensor joined_part(const at::Tensor& before, const at::Tensor& x, std::int64_t first,
                       std::int64_t count) {
  const std::int64_t head = before.size(kTime);
  if (first >= head) return x.narrow(kTime, first - head, count);
  const std::int64_t from_before = std::min(count, head - first);
  const at::Tensor start = before.narrow(kTime, first, from_before);
  if (from_before == count) return start;
  return at::cat({start, x.narrow(kTime, 0, count - from_before)}, kTime);
}

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

/// Scale and offset that a group normalisation gives each channel, [B, C] each.
std::pair<at::Tensor, at::Tensor> group_affine(const at::Tensor& x, std::int64_t groups, double eps,
                                               const at::Tensor& weight, const at::Tensor& bias) {
  const std::int64_t batch = x.size(0), channels = x.size(1);
  const auto [variance, mean] =
      at::var_mean(x.reshape({batch, groups, -1}), {2}, /*unbiased=*/false);  // [B, G]
  const auto per_channel = [&](const at::Tensor& value) {
    return value.to(at::kFloat).repeat_interleave(channels / groups, 1);  // [B, C]
  };
  const at::Tensor scale = per_channel(at::rsqrt(variance.to(at::kFloat) + eps)) * weight;
  const at::Tensor offset = bias - per_channel(mean) * scale;
  return {scale, offset};
}

void silu_of(at::Tensor& out, const at::Tensor& offset, const at::Tensor& x,
             const at::Tensor& scale) {
  at::addcmul_out(out, offset, x, scale);
  at::silu_(out);
}

}  // namespace

at::Tensor& VaeCache::next() {
  if (position_ == frames_.size()) frames_.emplace_back();
  return frames_[position_++];
}

VaeConvImpl::VaeConvImpl(std::vector<std::int64_t> weight_shape)
    : weight(register_parameter("weight", placeholder(weight_shape), /*requires_grad=*/false)),
      bias(register_parameter("bias", placeholder({weight_shape.front()}),
                              /*requires_grad=*/false)) {}

VaeCausalConvImpl::VaeCausalConvImpl(std::int64_t in, std::int64_t out)
    : conv(register_module("conv", VaeConv(std::vector<std::int64_t>{out, in, 3, 3, 3}))) {}

at::Tensor VaeCausalConvImpl::forward(const at::Tensor& x, VaeCache& cache,
                                      std::int64_t bytes_at_once) const {
  at::Tensor& last = cache.next();
  const std::int64_t history = conv->weight.size(kTime) - 1, frames = x.size(kTime);
  const at::Tensor before =
      last.defined() ? last : x.narrow(kTime, 0, 1).expand({-1, -1, history, -1, -1});
  last = joined_part(before, x, frames, history).clone(at::MemoryFormat::Contiguous);
  const auto part = [&](std::int64_t first, std::int64_t count) {
    return at::conv3d(joined_part(before, x, first, count + history), conv->weight, conv->bias,
                      /*stride=*/1, /*padding=*/{0, 1, 1});
  };
  const std::int64_t frame_bytes = static_cast<std::int64_t>(x.nbytes()) / frames;
  const std::int64_t at_once = std::max<std::int64_t>(1, bytes_at_once / frame_bytes - history);
  if (at_once >= frames) return part(0, frames);
  at::Tensor out =
      at::empty({x.size(0), conv->weight.size(0), frames, x.size(3), x.size(4)}, x.options());
  for (std::int64_t first = 0; first < frames; first += at_once) {
    const std::int64_t count = std::min(at_once, frames - first);
    out.narrow(kTime, first, count).copy_(part(first, count));
  }
  return out;
}

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

void VaeNormImpl::apply(const at::Tensor& x, const at::Tensor& latents, at::Tensor& out) const {
  auto [scale, offset] = group_affine(x, groups_, eps_, weight, bias);
  const auto per_pixel = [&](const at::Tensor& value) {
    return value.to(x.scalar_type()).view({x.size(0), x.size(1), 1, 1, 1});
  };
  scale = per_pixel(scale);
  offset = per_pixel(offset);
  if (conv_y_.is_empty()) return silu_of(out, offset, x, scale);
  // (x s + o) y + b = x (s y) + (o y + b); a 1 x 1 convolution of repeated latents is the repeated
  // convolution, so that both factors are made at the latents' size.
  const at::Tensor y = at::conv3d(latents, conv_y_->weight, conv_y_->bias);
  const at::Tensor factor = y * scale;
  const at::Tensor summand =
      at::addcmul(at::conv3d(latents, conv_b_->weight, conv_b_->bias), y, offset);
  for (std::int64_t f = 0; f < x.size(kTime); ++f) {
    const std::int64_t z = latent_frame(f, x.size(kTime), latents.size(kTime));
    at::Tensor frame = out.select(kTime, f);
    silu_of(frame, enlarged(frame_of(summand, z), x.size(3), x.size(4)), x.select(kTime, f),
            enlarged(frame_of(factor, z), x.size(3), x.size(4)));
  }
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

at::Tensor VaeResnetImpl::forward(at::Tensor x, const at::Tensor& latents, VaeCache& cache) const {
  const bool is_wider = !conv_shortcut.is_empty();
  at::Tensor shortcut = x;
  if (is_wider) shortcut = at::conv3d(x, conv_shortcut->weight, conv_shortcut->bias);
  at::Tensor h = is_wider ? std::move(x) : at::empty_like(x);
  norm1->apply(is_wider ? h : shortcut, latents, h);
  h = conv1->forward(h, cache);
  norm2->apply(h, latents, h);
  h = conv2->forward(h, cache);
  return h.add_(shortcut);
}

at::Tensor downsampled(const at::Tensor& x, const VaeConv& conv, TimeScaling time) {
  const std::int64_t frames = x.size(kTime);
  const bool is_halved = time == TimeScaling::kHalvedOrDoubled;
  const std::int64_t alone = is_halved ? frames % 2 : frames;  // frames that are not averaged
  const std::int64_t count = alone + (frames - alone) / 2;
  at::Tensor out;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t first = i < alone ? i : alone + 2 * (i - alone);
    const at::Tensor frame =
        i < alone ? frame_of(x, i) : (x.select(kTime, first) + x.select(kTime, first + 1)) / 2;
    const at::Tensor half = at::conv2d(at::constant_pad_nd(frame, {0, 1, 0, 1}), conv->weight,
                                       conv->bias, /*stride=*/2);  // [B, C, H/2, W/2]
    if (!out.defined())
      out = at::empty({x.size(0), half.size(1), count, half.size(2), half.size(3)}, x.options());
    out.select(kTime, i).copy_(half);
  }
  return out;
}

at::Tensor upsampled(const at::Tensor& x, const VaeConv& conv, TimeScaling time) {
  const std::int64_t frames = x.size(kTime);
  const bool is_doubled = time == TimeScaling::kHalvedOrDoubled && frames > 1;
  const std::int64_t alone = is_doubled ? frames % 2 : frames;  // frames that come once
  at::Tensor out = at::empty(
      {x.size(0), conv->weight.size(0), alone + 2 * (frames - alone), 2 * x.size(3), 2 * x.size(4)},
      x.options());
  std::int64_t next = 0;
  for (std::int64_t f = 0; f < frames; ++f) {
    // The convolution is one of each frame alone: a repeated frame is computed once.
    const at::Tensor large =
        at::conv2d(enlarged(frame_of(x, f), 2 * x.size(3), 2 * x.size(4)), conv->weight, conv->bias,
                   /*stride=*/1, /*padding=*/1);
    out.select(kTime, next++).copy_(large);
    if (f >= alone) out.select(kTime, next++).copy_(large);
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

at::Tensor VaeLevelImpl::forward(at::Tensor x, const at::Tensor& latents, VaeCache& cache) const {
  for (const VaeResnet& resnet : resnets_) x = resnet->forward(std::move(x), latents, cache);
  if (sampler_ == Sampler::kDown) return downsampled(x, sampler_conv_, time_);
  if (sampler_ == Sampler::kUp) return upsampled(x, sampler_conv_, time_);
  return x;
}

}  // namespace qingyin
