#include "audio_gen/mmaudio/tile_conv_layer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

namespace qingyin::mmaudio {
namespace {

/// Channels from which on tiles are worth their padding, and tiles that one thread is given.
constexpr std::int64_t kNarrowest = 8, kGrain = 24;

}  // namespace

TileConvImpl::TileConvImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, bool has_bias,
                           const at::TensorOptions& options, std::int64_t dilation)
    : dilation_(dilation), direct_(in, out, kernel, has_bias, options, dilation) {
  const auto parameters = direct_->named_parameters();
  weight = register_parameter("weight", parameters["weight"], false);
  if (has_bias) bias = register_parameter("bias", parameters["bias"], false);
}

bool TileConvImpl::can_run_by_tiles(const at::Tensor& x) const {
  if (!x.device().is_cpu() || x.scalar_type() != at::kFloat) return false;
  return tiles_ != nullptr ||
         (weight.device().is_cpu() && weight.scalar_type() == at::kFloat && weight.size(2) >= 3 &&
          weight.size(0) >= kNarrowest && can_convolve_by_tiles());
}

void TileConvImpl::prepare() {
  if (tiles_ != nullptr || !can_run_by_tiles(weight)) return;
  const at::Tensor memory = weight.detach().permute({0, 2, 1}).contiguous();  // [out, kernel, in]
  tiles_ = std::make_shared<const TileWeight>(
      tile_weight(memory.const_data_ptr<float>(), memory.size(2), memory.size(0), memory.size(1)));
  weight.set_data(at::empty({0}, weight.options()));
}

void TileConvImpl::run_by_tiles(const at::Tensor& x, const at::Tensor& y, bool adds) {
  prepare();
  for (std::int64_t row = 0; row < x.size(0); ++row) {
    float* const to = y[row].mutable_data_ptr<float>();
    const TileConvJob job{.weight = *tiles_,
                          .x = x[row].const_data_ptr<float>(),
                          .bias = bias.defined() ? bias.const_data_ptr<float>() : nullptr,
                          .add = adds ? to : nullptr,
                          .y = to,
                          .length = x.size(1),
                          .dilation = dilation_};
    at::parallel_for(0, job.rows(), kGrain, [&job](std::int64_t begin, std::int64_t end) {
      run_tile_conv(job, begin, end);
    });
  }
}

at::Tensor TileConvImpl::forward(const at::Tensor& x) {
  if (!can_run_by_tiles(x)) return direct_(x);
  prepare();
  const at::Tensor y = at::empty({x.size(0), x.size(1), tiles_->out}, x.options());
  run_by_tiles(x.contiguous(), y, /*adds=*/false);
  return y;
}

at::Tensor TileConvImpl::add_to(const at::Tensor& sum, const at::Tensor& x) {
  if (!can_run_by_tiles(x) || !sum.is_contiguous()) return sum + forward(x);
  run_by_tiles(x.contiguous(), sum, /*adds=*/true);
  return sum;
}

void prepare_tiles(torch::nn::Module& network) {
  const at::NoGradGuard no_gradient;
  for (const auto& module : network.modules())
    if (auto* const layer = module->as<TileConvImpl>()) layer->prepare();
}

}  // namespace qingyin::mmaudio
