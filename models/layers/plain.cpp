#include "models/layers/plain.h"

#include <ATen/ATen.h>

#include "models/layers/fast_cpu.h"

namespace qingyin {

DenseImpl::DenseImpl(std::int64_t in, std::int64_t out, const at::TensorOptions& options)
    : weight(register_parameter("weight", at::empty({out, in}, options), false)),
      bias(register_parameter("bias", at::empty({out}, options), false)) {}

at::Tensor DenseImpl::forward(const at::Tensor& x) const { return affine(x, weight, bias); }

at::Tensor DenseImpl::with_bias_times(const at::Tensor& x, double bias_scale) const {
  return affine(x, weight, bias * bias_scale);
}

NormImpl::NormImpl(std::int64_t dim, double eps, const at::TensorOptions& options)
    : eps_(eps),
      weight(register_parameter("weight", at::empty({dim}, options), false)),
      bias(register_parameter("bias", at::empty({dim}, options), false)) {}

at::Tensor NormImpl::forward(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, eps_);
}

at::Tensor NormImpl::times(const at::Tensor& x, double scale) const {
  return at::layer_norm(x, weight.sizes(), weight * scale, bias * scale, eps_);
}

PackedAttentionImpl::PackedAttentionImpl(std::int64_t dim, std::int64_t heads,
                                         const at::TensorOptions& options)
    : heads_(heads),
      in_proj_weight(
          register_parameter("in_proj_weight", at::empty({3 * dim, dim}, options), false)),
      in_proj_bias(register_parameter("in_proj_bias", at::empty({3 * dim}, options), false)),
      out_proj(register_module("out_proj", Dense(dim, dim, options))) {}

at::Tensor PackedAttentionImpl::forward(const at::Tensor& x, Attending attending) {
  const std::int64_t dim = in_proj_weight.size(1), head_width = dim / heads_;
  const auto by_head = [&](const at::Tensor& packed) {  // [B, T, n D] -> [n, B, H, T, K]
    return packed.unflatten(2, {-1, heads_, head_width}).permute({2, 0, 3, 1, 4});
  };
  at::Tensor query, key, value;  // [B, H, T, K]
  if (attending.queries == 0) {
    const auto parts = by_head(affine(x, in_proj_weight, in_proj_bias));
    query = parts[0], key = parts[1], value = parts[2];
  } else {
    const auto asking = x.narrow(1, 0, attending.queries).contiguous();
    query = by_head(
        affine(asking, in_proj_weight.narrow(0, 0, dim), in_proj_bias.narrow(0, 0, dim)))[0];
    const auto parts = by_head(
        affine(x, in_proj_weight.narrow(0, dim, 2 * dim), in_proj_bias.narrow(0, dim, 2 * dim)));
    key = parts[0], value = parts[1];
  }
  const auto mixed = attend(query, key, value, attending.is_causal);  // [B, H, T, K]
  return out_proj(mixed.transpose(1, 2).flatten(2));                  // [B, T, D]
}

}  // namespace qingyin
