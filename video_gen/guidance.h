#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace qingyin {

/// How strongly a step follows the prompt.
enum class GuidanceCurve {
  kConstant,
  kWave,    // diffusers' use_dynamic_cfg, which puts the training time where its formula means the
            // step: the weight swings from step to step. It is what the 5B models are run with.
  kSmooth,  // the formula as meant: falls from 1 + scale at the first step to 1
};

/// The weight of a step.
/// @param steps     kept steps of the run
/// @param index     of the step, from 0
/// @param timestep  the step's training time
double guidance_weight(GuidanceCurve curve, double scale, std::int64_t steps, std::int64_t index,
                       std::int64_t timestep);

/// negative + weight * (positive - negative), in float32 (Ho and Salimans, "Classifier-free
/// diffusion guidance", 2022).
/// @param predictions  [2B, ...], those for the negative prompts first
/// @return             [B, ...]
at::Tensor guide(const at::Tensor& predictions, double weight);

}  // namespace qingyin
