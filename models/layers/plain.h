#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <cstdint>
#include <functional>
#include <string>

namespace qingyin {

/// Told of a network's intermediate results by their names in the reference: for tests that locate
/// an error. An empty one costs nothing.
using Observer = std::function<void(const std::string& name, const at::Tensor& value)>;

/// Affine map whose weights have no values until they are loaded: networks of a billion parameters
/// that only ever run published weights are built in no time, and on the `meta` device.
///
/// Checkpoint keys: weight [out, in], bias [out].
class DenseImpl : public torch::nn::Module {
 public:
  DenseImpl(std::int64_t in, std::int64_t out, const at::TensorOptions& options);

  /// [..., in] -> [..., out]
  at::Tensor forward(const at::Tensor& x) const;
  /// x weight^T + bias_scale * bias. [..., in] -> [..., out]
  at::Tensor with_bias_times(const at::Tensor& x, double bias_scale) const;

 private:
  at::Tensor weight, bias;
};
TORCH_MODULE(Dense);

/// Layer normalisation over the last dimension; uninitialised like `Dense`.
///
/// Checkpoint keys: weight [D], bias [D].
class NormImpl : public torch::nn::Module {
 public:
  NormImpl(std::int64_t dim, double eps, const at::TensorOptions& options);

  /// [..., D] -> [..., D]
  at::Tensor forward(const at::Tensor& x) const;
  /// The same times a number, at no cost. [..., D] -> [..., D]
  at::Tensor times(const at::Tensor& x, double scale) const;

 private:
  double eps_;
  at::Tensor weight, bias;
};
TORCH_MODULE(Norm);

/// How `PackedAttention` looks at its tokens.
struct Attending {
  bool is_causal = false;    // no token sees a later one
  std::int64_t queries = 0;  // only the first so many tokens ask, all answer; 0: all ask
};

/// Multi-head self-attention with one weight for queries, keys and values, in the layout of
/// PyTorch's nn.MultiheadAttention: [q | k | v]. Uninitialised like `Dense`.
///
/// Checkpoint keys: in_proj_weight [3D, D], in_proj_bias [3D], out_proj.weight, out_proj.bias.
class PackedAttentionImpl : public torch::nn::Module {
 public:
  PackedAttentionImpl(std::int64_t dim, std::int64_t heads, const at::TensorOptions& options);

  /// [B, T, D] -> [B, T, D], or [B, queries, D]
  at::Tensor forward(const at::Tensor& x, Attending attending = {});

 private:
  std::int64_t heads_;
  at::Tensor in_proj_weight, in_proj_bias;
  Dense out_proj;
};
TORCH_MODULE(PackedAttention);

}  // namespace qingyin
