#include "audio_gen/mmaudio/time_conv.h"

#include <ATen/ATen.h>

#include <array>

#include "models/layers/fast_cpu.h"

namespace qingyin::mmaudio {
namespace {

/// A weight whose memory has the taps outside and the input channels inside, as a convolution with
/// the channels last reads it.
at::Tensor taps_outside(std::int64_t out, std::int64_t in, std::int64_t kernel,
                        const at::TensorOptions& options) {
  return at::empty({out, kernel, in}, options).permute({0, 2, 1});  // [out, in, kernel]
}

/// A picture of height 1 with its channels last in memory, which costs no copy.
at::Tensor as_picture(const at::Tensor& x) {
  return x.unsqueeze(1).permute({0, 3, 1, 2});  // [B, C, 1, T]
}

at::Tensor of_picture(const at::Tensor& y) {
  return y.permute({0, 2, 3, 1}).squeeze(1);  // [B, T, C]
}

}  // namespace

TimeConvImpl::TimeConvImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, bool has_bias,
                           const at::TensorOptions& options, std::int64_t dilation)
    : kernel_(kernel), dilation_(dilation) {
  const at::Tensor memory =
      kernel == 0 ? at::empty({out, in}, options) : taps_outside(out, in, kernel, options);
  weight = register_parameter("weight", memory, /*requires_grad=*/false);
  if (has_bias) bias = register_parameter("bias", at::empty({out}, options), false);
}

at::Tensor TimeConvImpl::forward(const at::Tensor& x) {
  if (!int8_) return product(x, weight, bias);
  return int8_->finish(product(x, int8_->values(x.scalar_type()), {}), bias);
}

at::Tensor TimeConvImpl::product(const at::Tensor& x, const at::Tensor& by,
                                 const at::Tensor& plus) const {
  if (kernel_ == 0) return affine(x, by, plus);
  const std::array<std::int64_t, 2> stride{1, 1}, padding{0, kernel_ / 2 * dilation_},
      dilation{1, dilation_};
  return of_picture(at::conv2d(as_picture(x), by.unsqueeze(2), plus, stride, padding, dilation));
}

void TimeConvImpl::to_int8() {
  const at::NoGradGuard no_gradient;
  int8_.emplace(weight);
  weight.set_data(at::empty({0}, weight.options()));
}

UpConvImpl::UpConvImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t rate,
                       const at::TensorOptions& options)
    : rate_(rate),
      padding_((kernel - rate) / 2),
      weight(register_parameter("weight", taps_outside(in, out, kernel, options), false)),
      bias(register_parameter("bias", at::empty({out}, options), false)) {}

at::Tensor UpConvImpl::forward(const at::Tensor& x) {
  const std::array<std::int64_t, 2> stride{1, rate_}, padding{0, padding_};
  return of_picture(
      at::conv_transpose2d(as_picture(x), weight.unsqueeze(2), bias, stride, padding));
}

GatedMlpImpl::GatedMlpImpl(std::int64_t dim, std::int64_t hidden, std::int64_t kernel,
                           const at::TensorOptions& options)
    : w1(register_module("w1", TimeConv(dim, hidden, kernel, false, options))),
      w2(register_module("w2", TimeConv(hidden, dim, kernel, false, options))),
      w3(register_module("w3", TimeConv(dim, hidden, kernel, false, options))) {}

at::Tensor GatedMlpImpl::forward(const at::Tensor& x) {
  at::Tensor gate = w1(x);
  return w2(at::silu_(gate).mul_(w3(x)));
}

}  // namespace qingyin::mmaudio
