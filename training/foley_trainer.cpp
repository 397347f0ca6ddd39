#include "training/foley_trainer.h"

#include <ATen/ATen.h>

#include "audio_gen/bundled/latent_codec.h"
#include "training/foley_data.h"

namespace qingyin::training {
namespace {

FlowCondition to_device(const FlowCondition& c, const at::Device& device) {
  return {c.class_row.to(device), c.material_row.to(device), c.traits.to(device),
          c.control.to(device),   c.context.to(device),      c.is_context.to(device)};
}

/// Times in (0, 1), most of them on the noisy side, where the flow decides what it becomes.
at::Tensor draw_times(std::int64_t count, std::uint64_t seed, std::int64_t step) {
  return at::sigmoid(1.2 * normal_noise({count}, seed, step, "times") - 0.4);
}

}  // namespace

Losses flow_losses(FlowTransformer& flow, const FoleyBatch& batch, const RunOptions& options,
                   std::int64_t step) {
  const at::Device device(options.device);
  const at::Tensor latents = batch.latents.to(device);
  const at::Tensor noise = normal_noise(latents.sizes(), options.seed, step, "noise").to(device);
  const at::Tensor times = draw_times(latents.size(0), options.seed, step).to(device);
  const at::Tensor x = at::lerp(noise, latents, times.view({-1, 1, 1}));
  const FlowCondition condition = to_device(batch.condition, device);
  at::Tensor velocity;
  {
    const LowPrecision low(options.bf16, options.device);
    velocity = flow(x, times, condition);
  }
  const at::Tensor wanted = 1 - condition.is_context;  // no loss where the latent is given
  const at::Tensor squared = (velocity - (latents - noise)).square().mean(2, true) * wanted;
  return {squared.sum() / wanted.sum(), {}};
}

bool train_foley(const FoleyTraining& settings, const RunOptions& options) {
  const bundled::LatentCodec codec(settings.codec);
  at::manual_seed(options.seed);
  FlowTransformer flow(settings.network);
  begin_with(*flow, settings.from);
  Trainer trainer(*flow, options, settings.rates, {to_metadata(settings.network), ""});
  FoleyData data(codec, {.folder = options.folder / "sounds",
                         .seed = options.seed,
                         .sounds = options.sounds,
                         .threads = options.threads,
                         .per_file = settings.sounds_per_file,
                         .repeats = settings.repeats});
  return trainer.run([&](std::int64_t step) {
    return flow_losses(flow, data.batch(step, settings.batch, settings.drop_share), options, step);
  });
}

}  // namespace qingyin::training
