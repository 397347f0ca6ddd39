#pragma once

#include "training/trainer.h"

namespace qingyin::training {

/// Principal components of log-mel patches [P, 4 M]; per-band mean and deviation taken before.
/// @return  mean, deviation, components, scale, grain_components and grain_scale as
///          `bundled::LatentCodec` reads them, and `kept`: the share of the normalised variance
///          that the components hold
struct LatentTables {
  TensorMap tensors;
  double kept;
};
LatentTables fit_latent(const at::Tensor& patches);

struct GrainTraining {
  std::int64_t batch = 512;  // patches
  Rates rates{.peak = 2e-3, .warm_up = 100, .decay_from = 0.5, .average = 0.99};
};

/// Fits the latent to RunOptions::sounds of the bank, and in so many steps the network that draws
/// what the components leave out: for given latents, normal distributions of the other components,
/// by maximum likelihood. Writes OUT/latent.safetensors. A file that is there already is left.
/// @return false if stopped
/// @throws Error as Trainer
bool train_latent(const GrainTraining& settings, const RunOptions& options);

}  // namespace qingyin::training
