#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "video_gen/noise_schedule.h"

namespace qingyin {

enum class SamplerKind {
  kDdim,  // deterministic (Song et al., 2021); 2b
  kDpm,   // SDE-DPM-Solver++ 2M (Lu et al., 2022), draws noise; 5b and later
};

/// Where a step ends.
enum class PreviousTimestep {
  kCompatible,  // t - 1000 / N as in diffusers, off the list of times if N does not divide 1000
  kExact,       // the next time of the list
};

/// The steps of a run.
struct SamplerSteps {
  SamplerKind kind;
  std::vector<std::int64_t> timesteps;  // falling; the first ones may have been dropped
  std::int64_t planned = 0;             // N of the whole schedule, for kCompatible
  PreviousTimestep previous = PreviousTimestep::kCompatible;
};

/// The four times of a distilled 2b (TDM), to be run with guidance 1: no regular spacing, so steps
/// end exactly on the next one.
SamplerSteps four_distilled_steps(SamplerKind kind);

/// N steps of a schedule.
/// @param strength  how much of a given clip is replaced, (0, 1]: only the last int(N * strength)
///                  steps are kept, computed in double as Python does
/// @throws Error    kUsage if steps or strength are out of range, or no step is kept
SamplerSteps plan_steps(const NoiseSchedule& schedule, SamplerKind kind, std::int64_t steps,
                        double strength = 1.0,
                        PreviousTimestep previous = PreviousTimestep::kCompatible);

/// What a step gives.
struct SamplerResult {
  at::Tensor sample;  // the latents at the next time
  at::Tensor clean;   // the clip that the model sees behind the noise, float32; the next step's
                      // `before`
};

/// One sampler over the steps of a run. Source: diffusers, schedulers/scheduling_ddim_cogvideox.py,
/// schedulers/scheduling_dpm_cogvideox.py. Const calls may overlap.
class Sampler {
 public:
  /// @throws Error kUsage unless the times fall and lie within the schedule
  Sampler(NoiseSchedule schedule, SamplerSteps steps);

  const SamplerSteps& steps() const { return steps_; }
  const NoiseSchedule& schedule() const { return schedule_; }

  /// The time at which step i ends; negative: at the clip itself.
  std::int64_t end_of(std::size_t i) const;

  /// Noise tensors of the latents' shape that the reference draws in step i; the last one is used.
  std::int64_t draws(std::size_t i) const;

  /// @param prediction  v, float32
  /// @param sample      the latents at the step's time; half precision is rounded to as in the
  ///                    reference, and the result is float32
  /// @param before      `clean` of the step before; undefined at the first one
  /// @param noise       like `sample`; undefined if the step draws none
  SamplerResult step(std::size_t i, const at::Tensor& prediction, const at::Tensor& sample,
                     const at::Tensor& before, const at::Tensor& noise) const;

 private:
  at::Tensor dpm(std::size_t i, const at::Tensor& sample, const at::Tensor& clean,
                 const at::Tensor& before, const at::Tensor& noise) const;

  NoiseSchedule schedule_;
  SamplerSteps steps_;
};

}  // namespace qingyin
