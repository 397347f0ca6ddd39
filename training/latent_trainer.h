#pragma once

#include "training/trainer.h"

namespace qingyin::training {

/// Principal components of log-mel patches [P, 4 M]; per-band mean and deviation taken before.
/// @return  tensors as `bundled::LatentCodec` reads them, and `kept`: the share of the normalised
///          variance that the components hold
struct LatentTables {
  TensorMap tensors;
  double kept;
};
LatentTables fit_latent(const at::Tensor& patches);

/// Fits the latent to sounds of the bank and writes OUT/latent.safetensors.
/// @throws Error kIo
LatentTables train_latent(const RunOptions& options);

}  // namespace qingyin::training
