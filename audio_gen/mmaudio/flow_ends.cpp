#include "audio_gen/mmaudio/flow_ends.h"

#include <ATen/ATen.h>

namespace qingyin::mmaudio {
namespace {

constexpr std::int64_t kWavesV1 = 256, kFinalKernel = 7;
constexpr double kWaveBase = 10000;

const char* mlp_number(Activation activation) {
  return activation == Activation::kNone ? "1" : "2";
}

}  // namespace

InputProjectionImpl::InputProjectionImpl(std::int64_t in, const FlowConfig& c, Kernels kernels,
                                         Activation activation, const at::TensorOptions& options)
    : activation_(activation),
      first_(register_module("0", TimeConv(in, c.dim, kernels.first, true, options))),
      mlp_(register_module(mlp_number(activation),
                           GatedMlp(c.dim, mlp_hidden(c), kernels.mlp, options))) {}

at::Tensor InputProjectionImpl::forward(const at::Tensor& x) {
  at::Tensor y = first_(x);
  if (activation_ == Activation::kSelu) at::selu_(y);
  if (activation_ == Activation::kSilu) at::silu_(y);
  return mlp_(y);
}

/// Two layers with an activation between.
class TimeEmbeddingImpl::Layers : public torch::nn::Module {
 public:
  Layers(std::int64_t in, std::int64_t dim, const at::TensorOptions& options)
      : first_(register_module("0", TimeConv(in, dim, 0, true, options))),
        second_(register_module("2", TimeConv(dim, dim, 0, true, options))) {}

  at::Tensor forward(const at::Tensor& x) { return second_(at::silu(first_(x))); }

 private:
  TimeConv first_, second_;
};

TimeEmbeddingImpl::TimeEmbeddingImpl(const FlowConfig& c, const at::Device& device)
    : waves_(c.is_v2 ? c.dim : kWavesV1),
      longest_period_(c.is_v2 ? 1 : kWaveBase),
      mlp(register_module(
          "mlp",
          std::make_shared<Layers>(waves_, c.dim, at::TensorOptions(at::kFloat).device(device)))) {}

at::Tensor TimeEmbeddingImpl::forward(const at::Tensor& time) {
  const at::Tensor t = time.to(at::kFloat);
  // This order of operations, in float32: a frequency of 10000 that is one unit in the last place
  // off moves an element by 1e-3.
  const at::Tensor exponents = at::arange(0, waves_, 2, t.options()) / static_cast<double>(waves_);
  const at::Tensor frequencies =
      at::reciprocal(at::pow(kWaveBase, exponents)) * (kWaveBase / longest_period_);
  const at::Tensor angles = at::outer(t, frequencies);
  return mlp->forward(at::cat({angles.cos(), angles.sin()}, 1));
}

FinalLayerImpl::FinalLayerImpl(const FlowConfig& c, const at::TensorOptions& options)
    : adaLN_modulation(
          register_module("adaLN_modulation", Numbered("1", c.dim, 2 * c.dim, options))),
      conv(register_module("conv", TimeConv(c.dim, c.latents, kFinalKernel, true, options))) {}

at::Tensor FinalLayerImpl::forward(const at::Tensor& x, const at::Tensor& condition) {
  const auto m = adaLN_modulation(condition).chunk(2, -1);
  return conv(modulated(x, m[0], m[1]));
}

}  // namespace qingyin::mmaudio
