#pragma once

#include <ATen/core/Tensor.h>

#include "audio_gen/bundled/vocoder.h"
#include "training/trainer.h"

namespace qingyin::training {

struct VocoderTraining {
  VocoderConfig network = bundled_vocoder();
  std::int64_t batch = 10;
  std::int64_t frames = 56;  // T of one crop, 10 ms each
  Rates rates{.peak = 1e-3, .warm_up = 200, .decay_from = 0.5};
  std::filesystem::path codec;  // latent.safetensors
};

/// Figures of two signals [B, L] that sound alike.
struct SpectralDistance {
  at::Tensor stft;     // linear (relative) + 0.5 * log magnitude L1, mean over three resolutions
  at::Tensor log_mel;  // L1 in nepers
};
SpectralDistance spectral_distance(const at::Tensor& a, const at::Tensor& b);

/// Trains the vocoder on sounds of the bank with the generalised energy distance (Gritsenko et al.,
/// "A spectral energy distance for parallel speech synthesis", 2020): two renderings from
/// different noise are drawn to the true sound and pushed from one another.
/// @return false if stopped
/// @throws Error as Trainer; kModelMissing if the codec is not there
bool train_vocoder(const VocoderTraining& settings, const RunOptions& options);

}  // namespace qingyin::training
