#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "training/detector_trainer.h"
#include "training/foley_trainer.h"
#include "training/latent_trainer.h"
#include "training/vocoder_trainer.h"

namespace qingyin::training {

/// What one course of a network's training takes. Seeds count from the schedule's.
struct Course {
  std::int64_t steps, sounds;
  std::uint64_t seed = 0;
};

/// The training that made the committed weights. The vocoder takes two courses and the flow
/// transformer four, each with other sounds and the learning rate once more from a peak (warm
/// restart: Loshchilov & Hutter, 2017). In the last two of the flow transformer, classes that ring
/// or click come more often: their decays were the last to be learnt.
struct Schedule {
  std::uint64_t seed = 1;
  Course latent{.steps = 5000, .sounds = 2800};
  std::vector<Course> vocoder{{.steps = 3200, .sounds = 2800},
                              {.steps = 2600, .sounds = 3200, .seed = 10}};
  std::vector<Course> foley{{.steps = 5600, .sounds = 19600},
                            {.steps = 6000, .sounds = 25200, .seed = 1},
                            {.steps = 4500, .sounds = 21000, .seed = 2},
                            {.steps = 4500, .sounds = 21000, .seed = 3}};
  Course detector{.steps = 1200, .sounds = 3200};  // films
  GrainTraining grain;
  VocoderTraining voice;
  FoleyTraining flow;
  DetectorTraining picture;
};

/// The settings of course `number`, counted from 0. All but the first begin with these weights.
VocoderTraining course_of(VocoderTraining first, std::size_t number,
                          const std::filesystem::path& weights);
FoleyTraining course_of(FoleyTraining first, std::size_t number,
                        const std::filesystem::path& weights);

/// Trains all networks one after another, as the schedule says, in folders latent, vocoder,
/// foley and detector of `options.folder`, and puts their weights into its folder weights. What is
/// finished is not done again; an unfinished network goes on. Later courses have folders such as
/// foley-2. Of the options the folder, threads, device, bf16, save_every and progress
/// count.
/// @return false if stopped
/// @throws Error as Trainer; kIo
bool train_all(const Schedule& schedule, const RunOptions& options);

}  // namespace qingyin::training
