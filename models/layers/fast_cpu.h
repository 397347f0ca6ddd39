#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

namespace qingyin {

// The two products that transformers consist of, by the fastest way that libtorch has on the
// device. Results are those of the operators of ATen up to rounding.

/// x weight^T + bias, for networks that only run: no gradient is recorded on the fast way.
///
/// For float32 on a CPU libtorch multiplies with MKL, which is half as fast as oneDNN on processors
/// of AMD and no faster on others; oneDNN's product is behind the operator that PyTorch's compiler
/// uses. For bfloat16 that operator is a few per cent faster than at::linear.
/// @param x       [..., in]
/// @param weight  [out, in]
/// @param bias    [out]; undefined: none
/// @return        [..., out]
at::Tensor affine(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

/// The same for a layer. @param layer  torch::nn::Linear, with a bias
template <typename Linear>
at::Tensor affine(const at::Tensor& x, const Linear& layer) {
  return affine(x, layer->weight, layer->bias);
}

/// softmax(query key^T / sqrt(K)) value.
///
/// ATen's fused attention is slow on a CPU, in bfloat16 above all: there the scores of a few heads
/// at a time are kept. No value depends on the number of threads but through libtorch's products.
/// @param query           [B, H, T, K]
/// @param key, value      [B, H, S, K]
/// @param is_causal       query t sees the keys up to t
/// @return                [B, H, T, K]
at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                  bool is_causal = false);

}  // namespace qingyin
