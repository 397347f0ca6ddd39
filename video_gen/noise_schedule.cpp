#include "video_gen/noise_schedule.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

double half_to_even(double x) {
  const double below = std::floor(x), rest = x - below;
  return below + (rest > 0.5 || (rest == 0.5 && std::fmod(below, 2) != 0) ? 1 : 0);
}

}  // namespace

NoiseScheduleConfig cogvideox_2b_schedule() { return {.snr_shift_scale = 3.0}; }
NoiseScheduleConfig cogvideox_5b_schedule() { return {.snr_shift_scale = 1.0}; }

std::vector<std::string> problems(const NoiseScheduleConfig& c) {
  std::vector<std::string> found;
  if (c.num_train_timesteps < 2 || c.num_train_timesteps > 100'000)
    found.emplace_back("num_train_timesteps is not 2 to 100000");
  if (!(c.beta_start > 0) || !(c.beta_end < 1) || !(c.beta_start <= c.beta_end))
    found.emplace_back("beta_start and beta_end are not 0 < start <= end < 1");
  if (!(c.snr_shift_scale > 0)) found.emplace_back("snr_shift_scale is not above 0");
  if (c.steps_offset < 0 || c.steps_offset > 1) found.emplace_back("steps_offset is not 0 or 1");
  return found;
}

NoiseScheduleConfig read_noise_schedule_config(const ConfigFile& f) {
  std::vector<std::string> found;
  const auto only = [&](const char* key, const std::string& wanted, const std::string& absent) {
    const std::string value = f.text(key, absent);
    if (value != wanted)
      found.emplace_back(std::string(key) + " is " + excerpt(value) + ", expected " + wanted);
  };
  only("beta_schedule", "scaled_linear", "scaled_linear");
  only("prediction_type", "v_prediction", "epsilon");
  if (f.boolean("clip_sample", true)) found.emplace_back("clip_sample is not false");
  if (f.has("trained_betas")) found.emplace_back("trained_betas is present, expected none");
  const std::string spacing = f.text("timestep_spacing", "leading");
  if (spacing != "trailing" && spacing != "leading" && spacing != "linspace")
    found.emplace_back("timestep_spacing is " + excerpt(spacing) +
                       ", expected trailing, leading or linspace");
  const NoiseScheduleConfig config{
      .num_train_timesteps = f.integer("num_train_timesteps", 1000),
      .beta_start = f.number("beta_start", 0.00085),
      .beta_end = f.number("beta_end", 0.012),
      .snr_shift_scale = f.number("snr_shift_scale", 3.0),
      .rescale_betas_zero_snr = f.boolean("rescale_betas_zero_snr", false),
      .set_alpha_to_one = f.boolean("set_alpha_to_one", true),
      .steps_offset = f.integer("steps_offset", 0),
      .timestep_spacing = spacing == "leading"    ? TimestepSpacing::kLeading
                          : spacing == "linspace" ? TimestepSpacing::kLinspace
                                                  : TimestepSpacing::kTrailing};
  for (const std::string& problem : problems(config)) found.push_back(problem);
  std::string text;
  for (const std::string& problem : found) text += (text.empty() ? "" : "; ") + problem;
  if (!text.empty()) f.refuse(text);
  return config;
}

NoiseSchedule::NoiseSchedule(const NoiseScheduleConfig& c) : config_(c) {
  const double from = std::sqrt(c.beta_start), to = std::sqrt(c.beta_end);
  const auto last = static_cast<double>(c.num_train_timesteps - 1);
  double product = 1;
  for (std::int64_t i = 0; i < c.num_train_timesteps; ++i) {
    const double root = from + (to - from) * static_cast<double>(i) / last;
    product *= 1 - root * root;
    alphas_.push_back(product / (c.snr_shift_scale + (1 - c.snr_shift_scale) * product));
  }
  if (!c.rescale_betas_zero_snr) return;
  const double first_root = std::sqrt(alphas_.front()), last_root = std::sqrt(alphas_.back());
  for (double& alpha : alphas_) {
    const double root = (std::sqrt(alpha) - last_root) * first_root / (first_root - last_root);
    alpha = root * root;
  }
}

double NoiseSchedule::alpha(std::int64_t timestep) const {
  if (timestep < 0) return config_.set_alpha_to_one ? 1.0 : alphas_.front();
  return alphas_.at(static_cast<std::size_t>(timestep));
}

std::vector<std::int64_t> NoiseSchedule::timesteps(std::int64_t steps) const {
  const std::int64_t all = config_.num_train_timesteps;
  require(steps >= 1 && steps <= all, ErrorCode::kUsage,
          "video sampler: " + std::to_string(steps) + " steps were asked for, expected 1 to " +
              std::to_string(all));
  std::vector<std::int64_t> times;
  const auto total = static_cast<double>(all), n = static_cast<double>(steps);
  for (std::int64_t i = 0; i < steps; ++i) {
    const auto index = static_cast<double>(i), rest = static_cast<double>(steps - 1 - i);
    double time = 0;
    switch (config_.timestep_spacing) {
      case TimestepSpacing::kTrailing:
        time = half_to_even(total - index * (total / n)) - 1;
        break;
      case TimestepSpacing::kLeading:
        time = rest * static_cast<double>(all / steps) + static_cast<double>(config_.steps_offset);
        break;
      case TimestepSpacing::kLinspace:
        time = steps == 1 ? 0 : half_to_even(rest * (total - 1) / (n - 1));
        break;
    }
    times.push_back(std::clamp<std::int64_t>(static_cast<std::int64_t>(time), 0, all - 1));
  }
  return times;
}

at::Tensor NoiseSchedule::add_noise(const at::Tensor& x, const at::Tensor& noise,
                                    std::int64_t timestep) const {
  const at::Tensor a = at::full({}, alpha(timestep), at::kDouble).to(x.device(), x.scalar_type());
  return a.sqrt() * x + (1 - a).sqrt() * noise;
}

}  // namespace qingyin
