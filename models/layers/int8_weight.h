#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace qingyin {

/// A weight in 8 bits with one scale for each output channel, the first dimension: values * scale,
/// rounded to the nearest of 255 steps of the channel's largest magnitude. A quarter of float32's
/// memory, half of bfloat16's; the error of a product is about 0.8 %. For layers that only run. A
/// layer multiplies by `values` in its own type, in which they are exact, and `finish`es the
/// result: both cost little beside a product of hundreds of rows (docs/mmaudio-networks.md).
class Int8Weight {
 public:
  /// @param weight  [out, ...] of floating point, dense; its order in memory is kept
  explicit Int8Weight(const at::Tensor& weight);

  /// The whole numbers from -127 to 127 in a floating type, in the weight's order in memory.
  at::Tensor values(at::ScalarType type) const;

  /// What a product with `values` stands for: product * scale + bias.
  /// @param product  [..., out]; overwritten
  /// @param bias     [out]; undefined: none
  at::Tensor finish(const at::Tensor& product, const at::Tensor& bias) const;

  /// The weight itself, rounded.
  at::Tensor restored() const;

  /// Bytes that it takes.
  std::int64_t bytes() const;

 private:
  at::Tensor values_;  // int8, of the weight's shape
  at::Tensor scales_;  // float32 [out, 1, ...]
};

}  // namespace qingyin
