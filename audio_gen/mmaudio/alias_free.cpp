#include "audio_gen/mmaudio/alias_free.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <array>
#include <memory>
#include <string>

#include "audio_gen/mmaudio/snake_kernel.h"
#include "core/error.h"

namespace qingyin::mmaudio {
namespace {

/// Times that one thread is given at least.
constexpr std::int64_t kGrain = 256;

#ifdef QINGYIN_CUDA
constexpr bool kHasCudaKernel = true;
#else
constexpr bool kHasCudaKernel = false;
#endif

void run(const SnakeJob& job, bool is_on_cuda) {
  if (is_on_cuda) {
    const char* problem = run_snake_cuda(job);
    if (problem != nullptr)
      throw Error(ErrorCode::kDevice, std::string("alias-free activation on CUDA: ") + problem);
    return;
  }
  at::parallel_for(0, job.length, kGrain,
                   [&job](std::int64_t begin, std::int64_t end) { run_snake(job, begin, end); });
}

/// A module that holds parameters or modules alone.
class Holder : public torch::nn::Module {
 public:
  at::Tensor own(const char* name, at::IntArrayRef shape, const at::TensorOptions& options) {
    return register_parameter(name, at::empty(shape, options), false);
  }
  std::shared_ptr<Holder> child(const char* name) {
    return register_module(name, std::make_shared<Holder>());
  }
};

}  // namespace

#ifndef QINGYIN_CUDA
const char* run_snake_cuda(const SnakeJob&) { return "this program was built without CUDA"; }
#endif

at::Tensor alias_free_snake_slow(const at::Tensor& x, const SnakeParameters& p) {
  const std::int64_t channels = x.size(2);
  const auto filter = [&](const at::Tensor& taps) {
    return taps.view({1, 1, kSnakeTaps}).expand({channels, 1, kSnakeTaps});
  };
  const auto column = [](const at::Tensor& v) { return v.exp().unsqueeze(1); };  // [C, 1]
  const std::array<std::int64_t, 1> rate{2}, none{0};
  const std::array<std::int64_t, 2> before{5, 5}, after{5, 6};
  const at::Tensor padded = at::replication_pad1d(x.transpose(1, 2), before);
  at::Tensor u =
      2 * at::conv_transpose1d(padded, filter(p.up_taps), {}, rate, none, none, channels);
  u = u.slice(2, 15, -15);
  u = u + at::sin(u * column(p.alpha)).square() / (column(p.beta) + 1e-9);
  return at::conv1d(at::replication_pad1d(u, after), filter(p.down_taps), {}, rate,
                    at::IntArrayRef(none), at::IntArrayRef({1}), channels)
      .transpose(1, 2);
}

at::Tensor alias_free_snake(const at::Tensor& x, const SnakeParameters& p) {
  if (x.is_cuda() && !kHasCudaKernel) return alias_free_snake_slow(x, p);
  const at::Tensor input = x.contiguous(), result = at::empty_like(input);
  const at::Tensor frequency = p.alpha.exp(),
                   inverse_magnitude = (p.beta.exp() + 1e-9).reciprocal();
  const at::Tensor up = p.up_taps.contiguous(), down = p.down_taps.contiguous();
  for (std::int64_t row = 0; row < input.size(0); ++row)
    run({.x = input[row].const_data_ptr<float>(),
         .y = result[row].mutable_data_ptr<float>(),
         .length = input.size(1),
         .channels = input.size(2),
         .frequency = frequency.const_data_ptr<float>(),
         .inverse_magnitude = inverse_magnitude.const_data_ptr<float>(),
         .up_taps = up.const_data_ptr<float>(),
         .down_taps = down.const_data_ptr<float>()},
        input.is_cuda());
  return result;
}

AliasFreeSnakeImpl::AliasFreeSnakeImpl(std::int64_t channels, const at::TensorOptions& options) {
  const auto act = register_module("act", std::make_shared<Holder>());
  const auto up = register_module("upsample", std::make_shared<Holder>());
  const auto down = register_module("downsample", std::make_shared<Holder>());
  parameters_ = {.alpha = act->own("alpha", {channels}, options),
                 .beta = act->own("beta", {channels}, options),
                 .up_taps = up->own("filter", {1, 1, kSnakeTaps}, options),
                 .down_taps = down->child("lowpass")->own("filter", {1, 1, kSnakeTaps}, options)};
}

at::Tensor AliasFreeSnakeImpl::forward(const at::Tensor& x) {
  return alias_free_snake(x, parameters_);
}

}  // namespace qingyin::mmaudio
