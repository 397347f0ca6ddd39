#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>

#include "audio_gen/bundled/vocoder.h"
#include "training/trainer.h"

namespace qingyin::training {

struct VocoderTraining {
  VocoderConfig network = bundled_vocoder();
  std::filesystem::path from = {};  // weights to begin with; empty: random ones
  std::int64_t unrolled = 2;        // corrections while training, instead of the network's own
  std::int64_t batch = 16;
  std::int64_t frames = 60;   // T of one crop, 10 ms each
  double finish_from = 0.75;  // fraction of all steps; from there on a discriminator joins in
  double deception = 0.05;    // weight of what it thinks
  double likeness = 0.5;      // weight of its features
  Rates rates{.peak = 1.5e-3, .warm_up = 100, .decay_from = 0.5, .average = 0.998};
};

/// Figures of two signals [B, L] that sound alike.
struct SpectralDistance {
  at::Tensor stft;     // linear (relative) + 0.5 * log magnitude L1, mean over three resolutions
  at::Tensor log_mel;  // L1 in nepers
};
SpectralDistance spectral_distance(const at::Tensor& a, const at::Tensor& b);

/// Trains the vocoder on sounds of the bank: spectral distance and log-mel L1, and for the last
/// part of the steps also against a discriminator that is trained along.
/// @return false if stopped
/// @throws Error as Trainer; kBadCheckpoint if `from` does not fit
bool train_vocoder(const VocoderTraining& settings, const RunOptions& options);

}  // namespace qingyin::training
