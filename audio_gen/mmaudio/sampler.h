#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

#include "audio_gen/mmaudio/flow_network.h"

namespace qingyin::mmaudio {

struct SamplerSettings {
  std::int64_t steps = 25;
  double guidance = 4.5;  // at least 1: both branches are run; below: the wish alone
};

/// What a sampler's evaluations have in common.
struct Guidance {
  FlowConditions conditions;  // of the wish, and behind it of the empty branch where it is run
  double weight;
  bool is_guided;
};

Guidance guidance_of(const FlowConditions& wish, const FlowConditions& empty, double weight);

/// Velocity under classifier-free guidance; both branches are evaluated in one batch.
/// @param x     [B, N, C]
/// @param time  a scalar tensor
/// @return      [B, N, C]
at::Tensor guided_velocity(FlowNetworkImpl& network, const at::Tensor& x, const at::Tensor& time,
                           const Guidance& guidance);

/// Called after each step with the number of steps done and the latents [B, N, C] float32, which it
/// may change in place. Returns false to stop.
using StepWatcher = std::function<bool(std::int64_t steps_done, at::Tensor& latents)>;

/// Euler's method from noise to latents.
/// Source: hkchengrex/MMAudio, mmaudio/model/flow_matching.py and networks.py.
/// @param noise  [B, N, C]
/// @param empty  what `wish` is guided away from
/// @return       [B, N, C] float32, before `FlowNetwork::denormalised`
/// @throws Error kCancelled if `watcher` said stop; kUsage if there is no step
at::Tensor sample(FlowNetworkImpl& network, const at::Tensor& noise, const FlowConditions& wish,
                  const FlowConditions& empty, const SamplerSettings& settings,
                  const StepWatcher& watcher = {});

}  // namespace qingyin::mmaudio
