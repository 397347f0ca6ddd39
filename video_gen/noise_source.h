#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace qingyin {

/// Where a run's noise comes from. It is asked in the order of the reference pipelines: for the
/// posterior of a given picture or clip, for the first latents, then in every step of a sampler
/// that draws.
class NoiseSource {
 public:
  virtual ~NoiseSource() = default;
  /// Standard normal noise, float32 on the CPU.
  virtual at::Tensor draw(at::IntArrayRef shape) = 0;
  /// A draw that the reference makes and does not use.
  virtual void pass_over(at::IntArrayRef shape) = 0;
};

/// The project's counter-based noise: the n-th draw of a seed is the same for any number of
/// threads. A seed of the Python pipelines gives other noise.
class SeededNoise : public NoiseSource {
 public:
  explicit SeededNoise(std::uint64_t seed) : seed_(seed) {}

  at::Tensor draw(at::IntArrayRef shape) override;
  void pass_over(at::IntArrayRef) override { ++draws_; }

 private:
  std::uint64_t seed_, draws_ = 0;
};

}  // namespace qingyin
