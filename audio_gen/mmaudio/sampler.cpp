#include "audio_gen/mmaudio/sampler.h"

#include <ATen/ATen.h>

#include <string>

#include "core/error.h"

namespace qingyin::mmaudio {

Guidance guidance_of(const FlowConditions& wish, const FlowConditions& empty, double weight) {
  const bool is_guided = weight >= 1;
  return {is_guided ? joined(wish, empty) : wish, weight, is_guided};
}

at::Tensor guided_velocity(FlowNetworkImpl& network, const at::Tensor& x, const at::Tensor& time,
                           const Guidance& guidance) {
  const std::int64_t rows = x.size(0);
  if (!guidance.is_guided) return network.forward(x, time.expand({rows}), guidance.conditions);
  const at::Tensor both =
      network.forward(at::cat({x, x}), time.expand({2 * rows}), guidance.conditions);
  return guidance.weight * both.narrow(0, 0, rows) +
         (1 - guidance.weight) * both.narrow(0, rows, rows);
}

at::Tensor sample(FlowNetworkImpl& network, const at::Tensor& noise, const FlowConditions& wish,
                  const FlowConditions& empty, const SamplerSettings& settings,
                  const StepWatcher& watcher) {
  require(settings.steps >= 1, ErrorCode::kUsage, "MMAudio sampler: steps must be at least 1");
  const Guidance guidance = guidance_of(wish, empty, settings.guidance);
  const at::Tensor times =
      at::linspace(0, 1, settings.steps + 1, noise.options().dtype(at::kFloat));
  at::Tensor x = noise.to(at::kFloat).clone();
  for (std::int64_t step = 0; step < settings.steps; ++step) {
    x += guided_velocity(network, x, times[step], guidance) * (times[step + 1] - times[step]);
    if (watcher && !watcher(step + 1, x))
      throw Error(ErrorCode::kCancelled, "stopped after " + std::to_string(step + 1) + " of " +
                                             std::to_string(settings.steps) + " sampling steps");
  }
  return x;
}

}  // namespace qingyin::mmaudio
