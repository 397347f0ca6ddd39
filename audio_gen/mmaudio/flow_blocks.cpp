#include "audio_gen/mmaudio/flow_blocks.h"

#include <ATen/ATen.h>

#include <limits>

#include "models/layers/fast_cpu.h"

namespace qingyin::mmaudio {
namespace {

constexpr std::int64_t kBlockKernel = 3, kLinear = 0;
constexpr double kRopeBase = 10000;

/// Turns neighbouring channels against each other. @param x  [B, H, T, K] float32
at::Tensor turned(const at::Tensor& x, const Rotation& rotation) {
  const at::Tensor pairs = x.unflatten(3, {-1, 2});  // [B, H, T, K / 2, 2]
  const at::Tensor a = pairs.select(4, 0), b = pairs.select(4, 1);
  const at::Tensor& cosine = rotation.cosine;
  const at::Tensor& sine = rotation.sine;
  return at::stack({a * cosine - b * sine, a * sine + b * cosine}, 4).flatten(3);
}

}  // namespace

Rotation rotation_of(std::int64_t tokens, std::int64_t head_width, double scale,
                     const at::Device& device) {
  const auto options = at::TensorOptions(at::kFloat).device(device);
  const at::Tensor exponents =
      at::arange(0, head_width, 2, options) / static_cast<double>(head_width);
  const at::Tensor frequencies = at::reciprocal(at::pow(kRopeBase, exponents)) * scale;
  const at::Tensor angles = at::outer(at::arange(tokens, options), frequencies);
  return {angles.cos(), angles.sin()};
}

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  return qingyin::attend(q, k, v).transpose(1, 2).flatten(2);
}

at::Tensor modulated(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale) {
  return at::addcmul(shift, at::layer_norm(x, {x.size(-1)}), scale + 1);
}

HeadNormImpl::HeadNormImpl(std::int64_t head_width, const at::TensorOptions& options)
    : weight(register_parameter("weight", at::empty({head_width}, options), false)) {}

at::Tensor HeadNormImpl::forward(const at::Tensor& x, const Rotation* rotation) {
  const at::Tensor heads = x.transpose(1, 2).to(at::kFloat).contiguous();  // [B, H, T, K]
  const at::Tensor normal = at::rms_norm(heads, {heads.size(3)}, weight.to(at::kFloat),
                                         std::numeric_limits<float>::epsilon());
  return (rotation == nullptr ? normal : turned(normal, *rotation)).to(x.scalar_type());
}

HeadsImpl::HeadsImpl(std::int64_t dim, std::int64_t heads, const at::TensorOptions& options)
    : heads_(heads),
      qkv(register_module("qkv", TimeConv(dim, 3 * dim, kLinear, true, options))),
      q_norm(register_module("q_norm", HeadNorm(dim / heads, options))),
      k_norm(register_module("k_norm", HeadNorm(dim / heads, options))) {}

Attended HeadsImpl::forward(const at::Tensor& x, const Rotation* rotation) {
  const auto parts = qkv(x).unflatten(2, {heads_, -1, 3}).unbind(4);  // three of [B, T, H, K]
  return {q_norm(parts[0], rotation), k_norm(parts[1], rotation),
          parts[2].transpose(1, 2).contiguous()};
}

StreamBlockImpl::StreamBlockImpl(const FlowConfig& c, std::int64_t kernel, bool has_second_half,
                                 const at::TensorOptions& options)
    : attn(register_module("attn", Heads(c.dim, c.heads, options))),
      adaLN_modulation(register_module(
          "adaLN_modulation", Numbered("1", c.dim, (has_second_half ? 6 : 2) * c.dim, options))) {
  if (!has_second_half) return;
  linear1 = register_module("linear1", TimeConv(c.dim, c.dim, kernel, true, options));
  ffn = register_module("ffn", GatedMlp(c.dim, mlp_hidden(c), kernel, options));
}

Attended StreamBlockImpl::before_attention(const at::Tensor& x, const at::Tensor& condition,
                                           const Rotation* rotation, at::Tensor& modulation) {
  modulation = adaLN_modulation(condition);
  const std::int64_t dim = x.size(2);
  const at::Tensor shift = modulation.narrow(2, 0, dim), scale = modulation.narrow(2, dim, dim);
  return attn(modulated(x, shift, scale), rotation);
}

at::Tensor StreamBlockImpl::after_attention(const at::Tensor& x, const at::Tensor& mixed,
                                            const at::Tensor& modulation) {
  const auto m = modulation.chunk(6, -1);  // shift, scale, gate of attention, then of ffn
  const at::Tensor attended = at::addcmul(x, linear1(mixed), m[2]);
  return at::addcmul(attended, ffn(modulated(attended, m[3], m[4])), m[5]);
}

JointBlockImpl::JointBlockImpl(const FlowConfig& c, bool is_last, const at::TensorOptions& options)
    : is_last_(is_last),
      latent_block(register_module("latent_block", StreamBlock(c, kBlockKernel, true, options))),
      clip_block(register_module("clip_block", StreamBlock(c, kBlockKernel, !is_last, options))),
      text_block(register_module("text_block", StreamBlock(c, kLinear, !is_last, options))) {}

Streams JointBlockImpl::forward(const Streams& x, const at::Tensor& global,
                                const at::Tensor& per_token, const Rotation& latent_rotation,
                                const Rotation& clip_rotation) {
  Streams modulation;
  const Attended latent =
      latent_block->before_attention(x[0], per_token, &latent_rotation, modulation[0]);
  const Attended clip = clip_block->before_attention(x[1], global, &clip_rotation, modulation[1]);
  const Attended text = text_block->before_attention(x[2], global, nullptr, modulation[2]);
  const at::Tensor k = at::cat({latent.k, clip.k, text.k}, 2);
  const at::Tensor v = at::cat({latent.v, clip.v, text.v}, 2);
  if (is_last_)
    return {latent_block->after_attention(x[0], attend(latent.q, k, v), modulation[0]), x[1], x[2]};
  const at::Tensor mixed = attend(at::cat({latent.q, clip.q, text.q}, 2), k, v);
  const auto parts = mixed.split_with_sizes({x[0].size(1), x[1].size(1), x[2].size(1)}, 1);
  return {latent_block->after_attention(x[0], parts[0], modulation[0]),
          clip_block->after_attention(x[1], parts[1], modulation[1]),
          text_block->after_attention(x[2], parts[2], modulation[2])};
}

}  // namespace qingyin::mmaudio
