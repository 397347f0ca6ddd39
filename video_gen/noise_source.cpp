#include "video_gen/noise_source.h"

#include <ATen/ATen.h>

#include <span>

#include "core/philox.h"

namespace qingyin {

at::Tensor SeededNoise::draw(at::IntArrayRef shape) {
  at::Tensor noise = at::empty(shape, at::kFloat);
  Philox(derive_seed(seed_, "video noise"), draws_++)
      .normal(std::span<float>(noise.mutable_data_ptr<float>(),
                               static_cast<std::size_t>(noise.numel())));
  return noise;
}

}  // namespace qingyin
