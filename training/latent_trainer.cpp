#include "training/latent_trainer.h"

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "audio_gen/bundled/representation.h"
#include "core/philox.h"
#include "training/sound_pool.h"

namespace qingyin::training {
namespace {

constexpr double kSoundSeconds = 1.28;
constexpr std::int64_t kRest = bundled::kMelBands * bundled::kFramesPerToken - bundled::kLatentSize;
/// The fitted deviations also hold what a larger network would have known; drawn in full they
/// would give more change from frame to frame than the sounds have.
constexpr double kGrainShare = 0.85;

/// Parameters are named as in the latent's file.
struct GrainNetwork : torch::nn::Module {
  GrainNetwork() {
    const auto add = [&](int number, std::int64_t in, std::int64_t out) {
      weights.push_back(register_parameter("grain_weight" + std::to_string(number),
                                           at::randn({in, out}) / std::sqrt(double(in))));
      biases.push_back(register_parameter("grain_bias" + std::to_string(number), at::zeros({out})));
    };
    add(1, bundled::kLatentSize, bundled::kGrainHidden);
    add(2, bundled::kGrainHidden, bundled::kGrainHidden);
    add(3, bundled::kGrainHidden, 2 * kRest);
  }

  /// [B, N] -> [B, 2 R]
  at::Tensor forward(at::Tensor x) {
    x = at::relu(at::addmm(biases[0], x, weights[0]));
    x = at::relu(at::addmm(biases[1], x, weights[1]));
    return at::addmm(biases[2], x, weights[2]);
  }

  std::vector<at::Tensor> weights, biases;
};

struct GrainData {
  at::Tensor latents;  // [P, N]
  at::Tensor rest;     // [P, R] of deviation 1
};

GrainData grain_data(const at::Tensor& patches, const LatentTables& tables) {
  const TensorMap& t = tables.tensors;
  const at::Tensor normal =
      ((patches.view({-1, bundled::kMelBands}) - t.at("mean")) / t.at("deviation"))
          .view(patches.sizes());
  return {at::matmul(normal, t.at("components").t()) * t.at("scale"),
          at::matmul(normal, t.at("grain_components").t()) / t.at("grain_scale")};
}

at::Tensor draw_rows(std::int64_t all, std::int64_t count, std::uint64_t seed, std::int64_t step) {
  const Philox random(derive_seed(seed, "grain rows"), static_cast<std::uint64_t>(step));
  std::vector<std::int64_t> rows;
  for (std::int64_t b = 0; b < count; ++b) {
    const double place = random.uniform(static_cast<std::uint64_t>(b));
    rows.push_back(std::min(static_cast<std::int64_t>(place * static_cast<double>(all)), all - 1));
  }
  return at::tensor(rows);
}

at::Tensor render_patches(const RunOptions& options) {
  std::vector<at::Tensor> patches(static_cast<std::size_t>(options.sounds));
  in_parallel(options.sounds, options.threads, [&](std::int64_t i) {
    const auto mel =
        bundled::clamped_log_mel(training_sound(options.seed, i, kSoundSeconds).samples);
    patches[static_cast<std::size_t>(i)] =
        at::tensor(mel).view({-1, bundled::kMelBands * bundled::kFramesPerToken});
  });
  return at::cat(patches);
}

}  // namespace

LatentTables fit_latent(const at::Tensor& patches) {
  const std::int64_t bands = bundled::kMelBands, width = patches.size(1);
  const at::Tensor frames = patches.to(at::kDouble).view({-1, bands});  // [P * 4, M]
  const at::Tensor mean = frames.mean(0), deviation = frames.std(0).clamp_min(1e-3);
  const at::Tensor normal = ((frames - mean) / deviation).view({-1, width});
  const at::Tensor covariance =
      at::matmul(normal.t(), normal) / static_cast<double>(normal.size(0));
  const auto [variances, vectors] = at::linalg_eigh(covariance);
  const at::Tensor falling = variances.flip(0).clamp_min(1e-6);
  const at::Tensor variance = falling.narrow(0, 0, bundled::kLatentSize);
  at::Tensor components = vectors.t().flip(0);
  // The sign of an eigenvector is free; fix it so that the same sounds give the same file.
  components = components * at::where(components.sum(1, true) < 0, -1.0, 1.0);
  const double kept = (variance.sum() / falling.sum()).item<double>();
  const auto stored = [](const at::Tensor& t) { return t.to(at::kFloat).contiguous(); };
  return {{{"mean", stored(mean)},
           {"deviation", stored(deviation)},
           {"components", stored(components.narrow(0, 0, bundled::kLatentSize))},
           {"scale", stored(variance.pow(-0.25))},
           {"grain_components", stored(components.narrow(0, bundled::kLatentSize, kRest))},
           {"grain_scale", stored(falling.narrow(0, bundled::kLatentSize, kRest).sqrt())}},
          kept};
}

bool train_latent(const GrainTraining& settings, const RunOptions& options) {
  const auto path = options.folder / "latent.safetensors";
  if (std::filesystem::exists(path)) return true;
  at::manual_seed(options.seed);
  GrainNetwork network;
  RunOptions grain = options;
  grain.bf16 = false;
  Trainer trainer(network, grain, settings.rates);
  const at::Tensor patches = render_patches(options);
  LatentTables tables = fit_latent(patches);
  const GrainData data = grain_data(patches, tables);
  const at::Device device(options.device);
  const bool is_finished = trainer.run([&](std::int64_t step) {
    const at::Tensor rows = draw_rows(data.latents.size(0), settings.batch, options.seed, step);
    const auto found = network.forward(data.latents.index_select(0, rows).to(device)).chunk(2, 1);
    const at::Tensor spread = found[1].clamp(-8, 3);  // logarithm
    const at::Tensor error = (data.rest.index_select(0, rows).to(device) - found[0]) * exp(-spread);
    return Losses{(spread + 0.5 * error.square()).mean(), {}};
  });
  if (!is_finished) return false;
  for (auto& [name, tensor] : trainer.average()) tables.tensors[name] = tensor.contiguous();
  tables.tensors.at("grain_bias3").narrow(0, kRest, kRest) += std::log(kGrainShare);
  write_safetensors(path, tables.tensors,
                    {{"sounds", std::to_string(options.sounds)},
                     {"seed", std::to_string(options.seed)},
                     {"steps", std::to_string(options.steps)},
                     {"variance_kept", std::to_string(tables.kept)}},
                    Overwrite::kYes);
  return true;
}

}  // namespace qingyin::training
