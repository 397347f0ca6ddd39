#include "models/layers/placeholder.h"

#include <ATen/ATen.h>

#include "models/layers/fast_cpu.h"

namespace qingyin {

at::Tensor placeholder(at::IntArrayRef shape) { return at::zeros({}).expand(shape); }

PlainLinearImpl::PlainLinearImpl(std::int64_t in, std::int64_t out, Bias with_bias)
    : weight(register_parameter("weight", placeholder({out, in}), /*requires_grad=*/false)) {
  if (with_bias == Bias::kWith)
    bias = register_parameter("bias", placeholder({out}), /*requires_grad=*/false);
}

at::Tensor PlainLinearImpl::forward(const at::Tensor& x) const {
  if (!int8_) return affine(x, weight, bias);
  return int8_->finish(affine(x, int8_->values(x.scalar_type())), bias);
}

void PlainLinearImpl::to_int8() {
  int8_.emplace(weight);
  weight.set_data(placeholder(weight.sizes()));
}

void PlainLinearImpl::let_go() {
  int8_.reset();
  weight.set_data(placeholder(weight.sizes()));
  if (bias.defined()) bias.set_data(placeholder(bias.sizes()));
}

PlainLayerNormImpl::PlainLayerNormImpl(std::int64_t width, double eps)
    : weight(register_parameter("weight", placeholder({width}), /*requires_grad=*/false)),
      bias(register_parameter("bias", placeholder({width}), /*requires_grad=*/false)),
      eps_(eps) {}

at::Tensor PlainLayerNormImpl::forward(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, eps_);
}

at::Tensor PlainLayerNormImpl::modulated(const at::Tensor& x, const at::Tensor& shift,
                                         const at::Tensor& scale) const {
  if (scale.size(0) > 1)
    return at::addcmul(shift.unsqueeze(1), forward(x), (1 + scale).unsqueeze(1));
  // (n w + b) (1 + scale) + shift = n (w (1 + scale)) + (b (1 + scale) + shift)
  const at::Tensor gain = 1 + scale[0];
  return at::layer_norm(x, weight.sizes(), weight * gain, at::addcmul(shift[0], bias, gain), eps_);
}

PlainRmsNormImpl::PlainRmsNormImpl(std::int64_t width, double eps)
    : weight(register_parameter("weight", placeholder({width}), /*requires_grad=*/false)),
      eps_(eps) {}

at::Tensor PlainRmsNormImpl::forward(const at::Tensor& x) const {
  return at::rms_norm(x, weight.sizes(), weight, eps_);
}

PlainEmbeddingImpl::PlainEmbeddingImpl(std::int64_t rows, std::int64_t width)
    : weight(register_parameter("weight", placeholder({rows, width}), /*requires_grad=*/false)) {}

at::Tensor PlainEmbeddingImpl::forward(const at::Tensor& ids) const {
  return at::embedding(weight, ids);
}

}  // namespace qingyin
