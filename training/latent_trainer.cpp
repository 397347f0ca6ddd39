#include "training/latent_trainer.h"

#include <ATen/ATen.h>

#include <vector>

#include "audio_gen/bundled/representation.h"
#include "training/sound_pool.h"

namespace qingyin::training {
namespace {

constexpr double kSoundSeconds = 1.28;

}  // namespace

LatentTables fit_latent(const at::Tensor& patches) {
  const std::int64_t bands = bundled::kMelBands, width = patches.size(1);
  const at::Tensor frames = patches.to(at::kDouble).view({-1, bands});  // [P * 4, M]
  const at::Tensor mean = frames.mean(0), deviation = frames.std(0).clamp_min(1e-3);
  const at::Tensor normal = ((frames - mean) / deviation).view({-1, width});
  const at::Tensor covariance =
      at::matmul(normal.t(), normal) / static_cast<double>(normal.size(0));
  const auto [variances, vectors] = at::linalg_eigh(covariance);
  const std::int64_t from = width - bundled::kLatentSize;
  const at::Tensor variance = variances.narrow(0, from, bundled::kLatentSize).flip(0);
  at::Tensor components = vectors.t().narrow(0, from, bundled::kLatentSize).flip(0);
  // The sign of an eigenvector is free; fix it so that the same sounds give the same file.
  components = components * at::where(components.sum(1, true) < 0, -1.0, 1.0);
  const double kept = (variance.sum() / variances.sum()).item<double>();
  const auto stored = [](const at::Tensor& t) { return t.to(at::kFloat).contiguous(); };
  return {{{"mean", stored(mean)},
           {"deviation", stored(deviation)},
           {"components", stored(components)},
           {"scale", stored(variance.clamp_min(1e-6).pow(-0.25))}},
          kept};
}

LatentTables train_latent(const RunOptions& options) {
  std::vector<at::Tensor> patches(static_cast<std::size_t>(options.sounds));
  in_parallel(options.sounds, options.threads, [&](std::int64_t i) {
    const auto mel =
        bundled::clamped_log_mel(training_sound(options.seed, i, kSoundSeconds).samples);
    patches[static_cast<std::size_t>(i)] =
        at::tensor(mel).view({-1, bundled::kMelBands * bundled::kFramesPerToken});
  });
  LatentTables tables = fit_latent(at::cat(patches));
  std::filesystem::create_directories(options.folder);
  write_safetensors(options.folder / "latent.safetensors", tables.tensors,
                    {{"sounds", std::to_string(options.sounds)},
                     {"seed", std::to_string(options.seed)},
                     {"variance_kept", std::to_string(tables.kept)}},
                    Overwrite::kYes);
  return tables;
}

}  // namespace qingyin::training
