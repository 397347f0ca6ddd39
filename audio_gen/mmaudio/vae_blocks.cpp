#include "audio_gen/mmaudio/vae_blocks.h"

#include <ATen/ATen.h>

#include <cmath>

namespace qingyin::mmaudio {
namespace {

constexpr double kMagnitudeEps = 1e-4, kSiluGain = 0.596, kResidualShare = 0.3;

}  // namespace

at::Tensor unit_magnitude(const at::Tensor& x) {
  const double per_element = 1 / std::sqrt(static_cast<double>(x.size(-1)));
  return x / (at::linalg_vector_norm(x, 2, {-1}, true) * per_element + kMagnitudeEps);
}

at::Tensor mp_silu(const at::Tensor& x) { return at::silu(x).div_(kSiluGain); }

at::Tensor mp_sum(const at::Tensor& a, const at::Tensor& b, double t) {
  return at::lerp(a, b, t).div_(std::hypot(1 - t, t));
}

VaeBlockImpl::VaeBlockImpl(std::int64_t in, std::int64_t out, const at::TensorOptions& options)
    : conv1(register_module("conv1", TileConv(in, out, 3, false, options))),
      conv2(register_module("conv2", TileConv(out, out, 3, false, options))) {
  if (in != out)
    nin_shortcut = register_module("nin_shortcut", TimeConv(in, out, 1, false, options));
}

at::Tensor VaeBlockImpl::forward(const at::Tensor& x) {
  const at::Tensor normal = unit_magnitude(x);
  const at::Tensor h = conv2(mp_silu(conv1(mp_silu(normal))));
  return mp_sum(nin_shortcut.is_empty() ? normal : nin_shortcut(normal), h, kResidualShare);
}

VaeAttentionImpl::VaeAttentionImpl(std::int64_t channels, const at::TensorOptions& options)
    : qkv(register_module("qkv", TimeConv(channels, 3 * channels, 1, false, options))),
      proj_out(register_module("proj_out", TimeConv(channels, channels, 1, false, options))) {}

at::Tensor VaeAttentionImpl::forward(const at::Tensor& x) {
  const auto parts = qkv(x).unflatten(2, {-1, 3}).unbind(3);  // three of [B, T, C]
  const at::Tensor q = unit_magnitude(parts[0].contiguous());
  const at::Tensor k = unit_magnitude(parts[1].contiguous());
  const at::Tensor v = unit_magnitude(parts[2].contiguous());
  const at::Tensor mixed =
      at::scaled_dot_product_attention(q.unsqueeze(1), k.unsqueeze(1), v.unsqueeze(1)).squeeze(1);
  return mp_sum(x, proj_out(mixed), kResidualShare);
}

}  // namespace qingyin::mmaudio
