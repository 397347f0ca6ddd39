#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <optional>

#include "models/layers/int8_weight.h"

// Modules of networks with billions of weights. Their parameters have shapes and no memory of their
// own until `adopt_weights` (models/checkpoint/load_weights.h) gives them their tensors, so that
// building a network of any size costs nothing, and loading it costs its weights once.

namespace qingyin {

/// A float32 tensor of that shape in which all elements are one zero in memory.
at::Tensor placeholder(at::IntArrayRef shape);

/// A level of a checkpoint's names that does nothing itself ("ff", "ff.net", "encoder").
class ModuleGroup : public torch::nn::Module {};

enum class Bias { kWithout, kWith };

/// y = x weight^T + bias; weight [out, in], bias [out].
class PlainLinearImpl : public torch::nn::Module {
 public:
  PlainLinearImpl(std::int64_t in, std::int64_t out, Bias with_bias);

  /// [..., in] -> [..., out]
  at::Tensor forward(const at::Tensor& x) const;
  /// Keeps the weight in 8 bits from here on, and lets it go; again after other ones are adopted.
  void to_int8();
  /// Lets weight and bias go: nothing more is asked of the layer until it adopts others.
  void let_go();

  at::Tensor weight, bias;

 private:
  std::optional<Int8Weight> int8_;
};
TORCH_MODULE(PlainLinear);

/// Layer normalisation of the last dimension with weight and bias, [width] both.
class PlainLayerNormImpl : public torch::nn::Module {
 public:
  PlainLayerNormImpl(std::int64_t width, double eps);

  at::Tensor forward(const at::Tensor& x) const;
  /// forward(x) * (1 + scale) + shift.
  /// @param x             [B, T, width]
  /// @param shift, scale  [1 or B, width]; one row for all is a single pass over x
  at::Tensor modulated(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale) const;

  at::Tensor weight, bias;

 private:
  double eps_;
};
TORCH_MODULE(PlainLayerNorm);

/// x / sqrt(mean(x^2) + eps) * weight over the last dimension; weight [width].
class PlainRmsNormImpl : public torch::nn::Module {
 public:
  PlainRmsNormImpl(std::int64_t width, double eps);

  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor weight;

 private:
  double eps_;
};
TORCH_MODULE(PlainRmsNorm);

/// Rows of a table, by number; weight [rows, width].
class PlainEmbeddingImpl : public torch::nn::Module {
 public:
  PlainEmbeddingImpl(std::int64_t rows, std::int64_t width);

  /// [...] int64 -> [..., width]
  at::Tensor forward(const at::Tensor& ids) const;

  at::Tensor weight;
};
TORCH_MODULE(PlainEmbedding);

}  // namespace qingyin
