#pragma once

#include <filesystem>

#include "audio_gen/bundled/flow_transformer.h"
#include "training/foley_data.h"
#include "training/trainer.h"

namespace qingyin::training {

struct FoleyTraining {
  FlowTransformerConfig network = bundled_flow_transformer();
  std::filesystem::path codec;      // latent.safetensors
  std::filesystem::path from = {};  // weights to begin with; empty: random ones
  std::int64_t batch = 48;
  double drop_share = 0.1;  // of items whose class, material, size and intensity are withheld
  std::int64_t sounds_per_file = 700;  // of the stored sounds
  ClassRepeats repeats = {};           // none: all classes alike
  Rates rates{.peak = 1.5e-3, .warm_up = 150, .decay_from = 0.5};
};

/// Mean squared error of the velocity for windows at times and with noise that (seed, step) decide.
Losses flow_losses(FlowTransformer& flow, const FoleyBatch& batch, const RunOptions& options,
                   std::int64_t step);

/// Trains the flow transformer on sounds of the bank in the latent; RunOptions::sounds of them.
/// @return false if stopped
/// @throws Error as Trainer; kModelMissing if the codec is not there; kBadCheckpoint if `from` does
///               not fit
bool train_foley(const FoleyTraining& settings, const RunOptions& options);

}  // namespace qingyin::training
