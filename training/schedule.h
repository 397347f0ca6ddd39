#pragma once

#include <filesystem>

#include "training/detector_trainer.h"
#include "training/foley_trainer.h"
#include "training/latent_trainer.h"
#include "training/vocoder_trainer.h"

namespace qingyin::training {

/// What one network's training takes.
struct Course {
  std::int64_t steps, sounds;
};

/// The training that made the committed weights. The flow transformer takes three courses, each
/// with other sounds and the learning rate once more from a peak (warm restart: Loshchilov &
/// Hutter, 2017). In the third, classes that ring or click come more often: their decays were the
/// last to be learnt.
struct Schedule {
  std::uint64_t seed = 1;
  Course latent{.steps = 5000, .sounds = 2800};
  Course vocoder{.steps = 3200, .sounds = 2800};
  Course foley{.steps = 5600, .sounds = 19600};
  Course foley_further{.steps = 6000, .sounds = 25200};
  Course foley_focus{.steps = 4500, .sounds = 21000};
  Course detector{.steps = 1200, .sounds = 3200};  // films
  GrainTraining grain;
  VocoderTraining voice;
  FoleyTraining flow;
  DetectorTraining picture;
};

/// The settings of a second course that begins with these weights, and of a third.
FoleyTraining further(FoleyTraining first, const std::filesystem::path& weights);
FoleyTraining focused(FoleyTraining first, const std::filesystem::path& weights);

/// Trains all networks one after another, as the schedule says, in folders latent, vocoder,
/// foley and detector of `options.folder`, and puts their weights into its folder weights. What is
/// finished is not done again; an unfinished network goes on. The later courses have folders
/// foley-2 and foley-3. Of the options the folder, threads, device, bf16, save_every and progress
/// count.
/// @return false if stopped
/// @throws Error as Trainer; kIo
bool train_all(const Schedule& schedule, const RunOptions& options);

}  // namespace qingyin::training
