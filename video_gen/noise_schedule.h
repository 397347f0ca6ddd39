#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "models/checkpoint/config_file.h"

namespace qingyin {

enum class TimestepSpacing { kTrailing, kLeading, kLinspace };

/// The noise schedule of a model, in the words of the published scheduler_config.json. Betas are
/// scaled linear; the model predicts v.
struct NoiseScheduleConfig {
  std::int64_t num_train_timesteps = 1000;
  double beta_start = 0.00085, beta_end = 0.012;
  double snr_shift_scale;  // 3 for 2b, 1 for all others
  bool rescale_betas_zero_snr = true;
  bool set_alpha_to_one = true;  // of the time before 0
  std::int64_t steps_offset = 0;
  TimestepSpacing timestep_spacing = TimestepSpacing::kTrailing;
};

NoiseScheduleConfig cogvideox_2b_schedule();
NoiseScheduleConfig cogvideox_5b_schedule();  // and all later ones

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const NoiseScheduleConfig& config);

/// @throws Error  kBadCheckpoint naming every broken rule, also for betas, predictions or options
///                that no CogVideoX has
NoiseScheduleConfig read_noise_schedule_config(const ConfigFile& file);

/// How much of a clip is left in the noise at each training time (Lin et al., "Common diffusion
/// noise schedules and sample steps are flawed", 2023, for the zero at the end; diffusers,
/// schedulers/scheduling_ddim_cogvideox.py). Tables are double.
class NoiseSchedule {
 public:
  /// The config must have no problems.
  explicit NoiseSchedule(const NoiseScheduleConfig& config);

  const NoiseScheduleConfig& config() const { return config_; }
  const std::vector<double>& alphas() const { return alphas_; }  // cumulative products

  /// The cumulative alpha at a time; before time 0 there is (nearly) no noise.
  double alpha(std::int64_t timestep) const;

  /// The times of `steps` steps, falling. Trailing ones round half to even.
  /// @throws Error kUsage if steps is not 1 .. num_train_timesteps
  std::vector<std::int64_t> timesteps(std::int64_t steps) const;

  /// sqrt(a) x + sqrt(1 - a) noise; a is rounded to x's type before the roots, as in the reference.
  at::Tensor add_noise(const at::Tensor& x, const at::Tensor& noise, std::int64_t timestep) const;

 private:
  NoiseScheduleConfig config_;
  std::vector<double> alphas_;
};

}  // namespace qingyin
