#include "video_gen/sampler.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <utility>

#include "core/error.h"

namespace qingyin {

SamplerSteps four_distilled_steps(SamplerKind kind) {
  return {.kind = kind,
          .timesteps = {999, 856, 665, 399},
          .planned = 4,
          .previous = PreviousTimestep::kExact};
}

SamplerSteps plan_steps(const NoiseSchedule& schedule, SamplerKind kind, std::int64_t steps,
                        double strength, PreviousTimestep previous) {
  require(strength > 0 && strength <= 1, ErrorCode::kUsage,
          "video sampler: the strength is " + std::to_string(strength) +
              ", expected above 0 and at most 1");
  std::vector<std::int64_t> times = schedule.timesteps(steps);
  const auto kept = static_cast<std::int64_t>(static_cast<double>(steps) * strength);
  require(kept >= 1, ErrorCode::kUsage,
          "video sampler: of " + std::to_string(steps) + " steps a strength of " +
              std::to_string(strength) + " keeps none; use more steps or more strength");
  times.erase(times.begin(), times.end() - kept);
  return {.kind = kind, .timesteps = std::move(times), .planned = steps, .previous = previous};
}

Sampler::Sampler(NoiseSchedule schedule, SamplerSteps steps)
    : schedule_(std::move(schedule)), steps_(std::move(steps)) {
  const auto& times = steps_.timesteps;
  const std::int64_t all = schedule_.config().num_train_timesteps;
  bool is_falling = !times.empty() && times.front() < all && times.back() >= 0;
  for (std::size_t i = 1; i < times.size(); ++i) is_falling &= times[i] < times[i - 1];
  require(is_falling, ErrorCode::kUsage,
          "video sampler: the list of times must fall from at most " + std::to_string(all - 1) +
              " to at least 0");
  require(steps_.planned >= 1 && steps_.planned <= all, ErrorCode::kUsage,
          "video sampler: " + std::to_string(steps_.planned) +
              " steps are planned, expected 1 to " + std::to_string(all));
}

std::int64_t Sampler::end_of(std::size_t i) const {
  if (steps_.previous == PreviousTimestep::kExact)
    return i + 1 < steps_.timesteps.size() ? steps_.timesteps[i + 1] : -1;
  return steps_.timesteps[i] - schedule_.config().num_train_timesteps / steps_.planned;
}

std::int64_t Sampler::draws(std::size_t i) const {
  if (steps_.kind == SamplerKind::kDdim) return 0;
  return i == 0 || end_of(i) < 0 ? 1 : 2;
}

SamplerResult Sampler::step(std::size_t i, const at::Tensor& prediction, const at::Tensor& sample,
                            const at::Tensor& before, const at::Tensor& noise) const {
  const double a = schedule_.alpha(steps_.timesteps[i]), a_end = schedule_.alpha(end_of(i));
  const at::Tensor clean = std::sqrt(a) * sample - std::sqrt(1 - a) * prediction;
  if (steps_.kind == SamplerKind::kDpm)
    return {.sample = dpm(i, sample, clean, before, noise), .clean = clean};
  const double of_sample = std::sqrt((1 - a_end) / (1 - a));
  const double of_clean = std::sqrt(a_end) - std::sqrt(a) * of_sample;
  return {.sample = of_sample * sample + of_clean * clean, .clean = clean};
}

at::Tensor Sampler::dpm(std::size_t i, const at::Tensor& sample, const at::Tensor& clean,
                        const at::Tensor& before, const at::Tensor& noise) const {
  // Half the logarithm of the signal-to-noise ratio. It is -inf at the noisiest time and +inf at
  // the clip; double arithmetic gives the right limits below.
  const auto lambda = [](double a) { return std::log(std::sqrt(a / (1 - a))); };
  const double a = schedule_.alpha(steps_.timesteps[i]), a_end = schedule_.alpha(end_of(i));
  const double h = lambda(a_end) - lambda(a);
  const double of_sample = std::sqrt((1 - a_end) / (1 - a)) * std::exp(-h);
  const double of_clean = std::expm1(-2 * h) * std::sqrt(a_end);
  const double of_noise = std::sqrt(1 - a_end) * std::sqrt(1 - std::exp(-2 * h));
  at::Tensor direction = clean;
  if (i > 0 && end_of(i) >= 0) {
    const double r = (lambda(a) - lambda(schedule_.alpha(steps_.timesteps[i - 1]))) / h;
    direction = (1 + 1 / (2 * r)) * clean - 1 / (2 * r) * before;
  }
  return of_sample * sample - of_clean * direction + of_noise * noise;
}

}  // namespace qingyin
