#include "models/layers/transformer.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"
#include "models/layers/fast_cpu.h"

namespace qingyin {
namespace nn = torch::nn;

at::Tensor timestep_embedding(const at::Tensor& x, std::int64_t dim) {
  const std::int64_t half = dim / 2;
  const at::Tensor index = at::arange(half, x.options().dtype(at::kFloat));
  const at::Tensor frequencies = at::exp(index * (-std::log(10000.0) / static_cast<double>(half)));
  const at::Tensor angles = x.to(at::kFloat).unsqueeze(1) * 1000 * frequencies;
  return at::cat({angles.cos(), angles.sin()}, 1);
}

at::Tensor apply_rope(const at::Tensor& x, std::int64_t first_position, double base) {
  const std::int64_t tokens = x.size(2), half = x.size(3) / 2;
  const auto options = x.options().dtype(at::kFloat);
  const at::Tensor frequencies =
      at::exp(at::arange(half, options) * (-std::log(base) / static_cast<double>(half)));
  const at::Tensor positions = at::arange(first_position, first_position + tokens, options);
  const at::Tensor angles = at::outer(positions, frequencies);  // [T, K/2]
  const at::Tensor cosine = angles.cos().to(x.scalar_type());
  const at::Tensor sine = angles.sin().to(x.scalar_type());
  const at::Tensor a = x.narrow(3, 0, half), b = x.narrow(3, half, half);
  return at::cat({a * cosine - b * sine, b * cosine + a * sine}, 3);
}

at::Tensor rms_normalise(const at::Tensor& x, double eps) {
  return x * at::rsqrt(x.square().mean(-1, true) + eps);
}

at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale) {
  return at::addcmul(shift, at::layer_norm(x, {x.size(-1)}), 1 + scale);
}

std::vector<std::string> problems(const TransformerBlockConfig& c) {
  std::vector<std::string> found;
  if (c.dim < 1) found.push_back("dim must be at least 1");
  if (c.heads < 1) {
    found.push_back("heads must be at least 1");
  } else if (c.dim % (2 * c.heads) != 0) {
    found.push_back("dim is not a multiple of 2 * heads");
  }
  if (c.mlp_ratio < 1) found.push_back("mlp_ratio must be at least 1");
  return found;
}

TransformerBlockImpl::TransformerBlockImpl(const TransformerBlockConfig& c)
    : heads_(c.heads),
      modulation(register_module("modulation", nn::Linear(c.dim, 6 * c.dim))),
      qkv(register_module("qkv", nn::Linear(c.dim, 3 * c.dim))),
      proj(register_module("proj", nn::Linear(c.dim, c.dim))),
      mlp1(register_module("mlp1", nn::Linear(c.dim, c.mlp_ratio * c.dim))),
      mlp2(register_module("mlp2", nn::Linear(c.mlp_ratio * c.dim, c.dim))) {
  const auto found = problems(c);
  require(found.empty(), ErrorCode::kInternal,
          "transformer block: " + (found.empty() ? "" : found.front()));
  // A block starts as the identity: its gates are zero.
  const at::NoGradGuard no_grad;
  modulation->weight.zero_();
  modulation->bias.zero_();
}

at::Tensor TransformerBlockImpl::forward(at::Tensor x, const at::Tensor& condition) {
  const auto m = affine(condition, modulation).unsqueeze(1).chunk(6, -1);  // six of [B, 1, D]
  x = at::addcmul(x, m[2], attend(modulated_norm(x, m[0], m[1])));
  const at::Tensor hidden = at::gelu(affine(modulated_norm(x, m[3], m[4]), mlp1), "tanh");
  return at::addcmul(x, m[5], affine(hidden, mlp2));
}

at::Tensor TransformerBlockImpl::attend(const at::Tensor& x) {
  const std::int64_t batch = x.size(0), tokens = x.size(1), dim = x.size(2);
  const auto parts = affine(x, qkv)
                         .view({batch, tokens, 3, heads_, dim / heads_})
                         .permute({2, 0, 3, 1, 4})  // [3, B, H, T, K]
                         .unbind(0);
  const at::Tensor q = apply_rope(rms_normalise(parts[0]));
  const at::Tensor k = apply_rope(rms_normalise(parts[1]));
  const at::Tensor mixed = at::scaled_dot_product_attention(q, k, parts[2]);
  return affine(mixed.transpose(1, 2).reshape({batch, tokens, dim}), proj);
}

}  // namespace qingyin
