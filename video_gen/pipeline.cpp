#include "video_gen/pipeline.h"

#include <ATen/ATen.h>

#include <memory>
#include <utility>

#include "core/error.h"
#include "video_gen/preview.h"

namespace qingyin {
namespace {

/// Black or noisy clips come from numbers that overflowed in the first forward.
void require_finite(const at::Tensor& prediction) {
  if (prediction.isfinite().all().item<bool>()) return;
  throw Error(ErrorCode::kInternal,
              "video model: the first step's answer has numbers that are not finite; the weights "
              "are damaged, or need another precision than they are run in: use float32",
              "nan");
}

StartLatents start(const ClipRun& run, const Sampler& sampler, NoiseSource& noise) {
  at::Tensor given;
  if (run.given.defined()) {
    const CogVae vae = load_vae(run.folder, run.configs.vae, VaeHalf::kEncoder, run.dtype);
    given = given_latents(vae, run.given, run.plan, run.picture_latents, run.encoder_grid, noise);
  }
  StartLatents begin = start_latents(run.plan, run.configs, sampler, given, noise);
  begin.latents = begin.latents.to(run.dtype);
  return begin;
}

/// What the transformer sees: the latents, a picture's beside them, and with guidance all twice.
at::Tensor model_input(const at::Tensor& latents, const at::Tensor& picture, bool is_guided) {
  const at::Tensor once = picture.defined() ? at::cat({latents, picture}, 2) : latents;
  return is_guided ? at::cat({once, once}) : once;
}

/// The noise that a step of the sampler wants; undefined: none.
at::Tensor step_noise(const Sampler& sampler, std::size_t i, const at::Tensor& latents,
                      NoiseSource& noise) {
  const std::int64_t draws = sampler.draws(i);
  if (draws == 0) return {};
  for (std::int64_t k = 1; k < draws; ++k) noise.pass_over(latents.sizes());
  return noise.draw(latents.sizes()).to(latents.scalar_type());
}

/// Shows what is behind the noise after some of the steps. The decoder is loaded for it and let go.
void preview(const ClipRun& run, std::size_t step, std::size_t steps, const at::Tensor& clean,
             RunWatcher& watcher) {
  const auto every = static_cast<std::size_t>(run.preview_every);
  if (every == 0 || (step + 1) % every != 0 || step + 1 == steps) return;
  const CogVae vae = load_vae(run.folder, run.configs.vae, VaeHalf::kDecoder, run.dtype);
  watcher.on_preview(preview_strip(vae, clean.narrow(0, 0, 1), run.plan.padding));
}

at::Tensor denoise(const ClipRun& run, const Sampler& sampler, Denoiser& denoiser,
                   const StartLatents& begin, NoiseSource& noise, RunWatcher& watcher) {
  const bool is_guided = !run.text.negatives.empty();
  const auto& times = sampler.steps().timesteps;
  at::Tensor latents = begin.latents, before;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double weight = is_guided ? guidance_weight(run.curve, run.guidance,
                                                      static_cast<std::int64_t>(times.size()),
                                                      static_cast<std::int64_t>(i), times[i])
                                    : 1.0;
    const at::Tensor answer = denoiser.predict(i, model_input(latents, begin.picture, is_guided));
    const at::Tensor prediction = is_guided ? guide(answer, weight) : answer.to(at::kFloat);
    if (i == 0) require_finite(prediction);
    SamplerResult result =
        sampler.step(i, prediction, latents, before, step_noise(sampler, i, latents, noise));
    latents = result.sample.to(run.dtype);
    before = std::move(result.clean);
    watcher.on_step({.index = i,
                     .timestep = times[i],
                     .guidance = weight,
                     .prediction = prediction,
                     .latents = latents});
    preview(run, i, times.size(), before, watcher);
  }
  return latents;
}

void decode(const ClipRun& run, const at::Tensor& latents, RunWatcher& watcher) {
  const CogVae vae = load_vae(run.folder, run.configs.vae, VaeHalf::kDecoder, run.dtype);
  const at::Tensor unscaled =
      latents.narrow(1, run.plan.padding, latents.size(1) - run.plan.padding)
          .permute({0, 2, 1, 3, 4}) *
      (1 / run.configs.vae.scaling_factor);  // [B, C, f, h, w]
  for (std::int64_t clip = 0; clip < unscaled.size(0); ++clip)
    vae->decode_parts(unscaled.narrow(0, clip, 1), run.decoder_grid,
                      [&](const at::Tensor& values, const VideoPlace& place) {
                        watcher.on_frames(clip, values, place);
                      });
}

std::unique_ptr<Denoiser> load(const ClipRun& run, const TextConditions& text,
                               RunWatcher& watcher) {
  DenoiserNotes notes;
  auto denoiser = load_denoiser(
      run.folder,
      {.config = run.configs.transformer,
       .dtype = run.dtype,
       .text = text.negative.defined() ? at::cat({text.negative, text.positive}) : text.positive,
       .size = run.plan.latents,
       .stored_table = run.stored_table,
       .timesteps = run.steps.timesteps,
       .skipped_steps = run.skipped_steps,
       .loras = run.loras,
       .weights = run.weights,
       .streams_blocks = run.streams_transformer},
      notes);
  watcher.on_notes(notes);
  return denoiser;
}

}  // namespace

void run_clip(const ClipRun& run, NoiseSource& noise, RunWatcher& watcher) {
  const at::NoGradGuard no_gradient;
  const Sampler sampler(NoiseSchedule(run.configs.schedule), run.steps);
  at::Tensor latents;
  {
    const TextConditions text =
        encode_text(run.folder, run.configs, run.text, run.dtype, run.text_weights);
    watcher.on_text(text);
    const StartLatents begin = start(run, sampler, noise);
    watcher.on_start(begin);
    const auto denoiser = load(run, text, watcher);
    latents = denoise(run, sampler, *denoiser, begin, noise, watcher);
  }
  decode(run, latents, watcher);
}

}  // namespace qingyin
