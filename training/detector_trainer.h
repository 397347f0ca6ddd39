#pragma once

#include "training/detector_data.h"
#include "training/trainer.h"
#include "understanding/detector_network.h"

namespace qingyin::training {

struct DetectorTraining {
  DetectorConfig network;
  std::int64_t batch = 16;
  std::int64_t steps_per_film = 96;  // T
  double film_s = 4;
  Rates rates{.peak = 2e-3, .warm_up = 100, .decay_from = 0.4, .average = 0.995};
};

/// The figures that one step minimises the weighted sum of.
Losses detector_losses(const DetectorOutput& said, const DetectorExamples& wanted);

/// The same of what is known without a teacher: whether something begins, where between the frames,
/// and how strongly. Part of `detector_losses`.
Losses onset_losses(const DetectorOutput& said, const DetectorExamples& wanted);

/// Makes films harder to know again: noise, a shift by up to one cell, and every second one without
/// the channels of the look.
at::Tensor roughened(const at::Tensor& maps, at::Generator& generator);

/// Examples `picked` (int64 [B]) on a device, half of them mirrored as `mirrored` (bool [B]) says.
DetectorExamples picked_examples(const DetectorExamples& pool, const at::Tensor& picked,
                                 const at::Tensor& mirrored, const at::Device& device);

/// Trains the detector on simulated films; `options.sounds` of them are shot beforehand.
/// @return false if stopped
/// @throws Error as Trainer
bool train_detector(const DetectorTraining& settings, const RunOptions& options);

}  // namespace qingyin::training
