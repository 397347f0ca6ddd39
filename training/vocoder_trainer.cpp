#include "training/vocoder_trainer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <vector>

#include "audio_gen/bundled/representation.h"
#include "core/dsp/mel.h"
#include "core/philox.h"
#include "training/discriminator.h"
#include "training/sound_pool.h"

namespace qingyin::training {
namespace {

constexpr double kSoundSeconds = 1.4;
/// Frames at each end of a crop that the loss leaves out: they lack context.
constexpr std::int64_t kMargin = 7;
constexpr std::array<std::int64_t, 3> kResolutions{1920, 512, 128};

struct PooledSound {
  at::Tensor samples;  // [L]
  at::Tensor log_mel;  // [F, M]
};

std::vector<PooledSound> render_pool(const RunOptions& options) {
  std::vector<PooledSound> pool(static_cast<std::size_t>(options.sounds));
  in_parallel(options.sounds, options.threads, [&](std::int64_t i) {
    const TrainingSound sound = training_sound(options.seed, i, kSoundSeconds);
    pool[static_cast<std::size_t>(i)] = {
        at::tensor(sound.samples),
        at::tensor(bundled::clamped_log_mel(sound.samples)).view({-1, bundled::kMelBands})};
  });
  return pool;
}

struct Batch {
  at::Tensor log_mel;  // [B, T, M]
  at::Tensor samples;  // [B, (T - 2 * margin) * hop]
};

/// Crops in their own right; silent ones are drawn again a few times. Half begin near the attack.
Batch draw_batch(const std::vector<PooledSound>& pool, const VocoderTraining& settings,
                 std::uint64_t seed, std::int64_t step) {
  const Philox random(derive_seed(seed, "vocoder crops"), static_cast<std::uint64_t>(step));
  const std::int64_t heard = settings.frames - 2 * kMargin;
  std::vector<at::Tensor> mels, samples;
  std::uint64_t drawn = 0;
  for (std::int64_t b = 0; b < settings.batch; ++b) {
    for (int attempt = 0; attempt < 4; ++attempt) {
      const auto index =
          static_cast<std::size_t>(random.uniform(drawn) * static_cast<float>(pool.size()));
      const PooledSound& sound = pool[std::min(index, pool.size() - 1)];
      const std::int64_t last = sound.log_mel.size(0) - settings.frames;
      const double range = random.uniform(drawn + 1) < 0.5F ? 4.0 : static_cast<double>(last);
      const auto first = static_cast<std::int64_t>(random.uniform(drawn + 2) * range);
      const double gain = random.uniform(drawn + 3) * 0.9 - 0.6;  // nepers
      drawn += 4;
      const at::Tensor x =
          sound.samples.narrow(0, (first + kMargin) * bundled::kHop, heard * bundled::kHop);
      const bool is_heard = x.abs().max().item<float>() > 3e-4F;
      if (!is_heard && attempt < 3) continue;
      samples.push_back(x * std::exp(gain));
      mels.push_back((sound.log_mel.narrow(0, first, settings.frames) + gain)
                         .clamp_min(bundled::kQuietestLogMel));
      break;
    }
  }
  return {at::stack(mels), at::stack(samples)};
}

/// [B, L] -> [B, F, size / 2 + 1] magnitudes, window centres inside the signal.
at::Tensor magnitudes(const at::Tensor& x, std::int64_t size) {
  const at::Tensor frames = x.unfold(1, size, size / 4);
  return at::fft_rfft(frames * at::hann_window(size, x.options())).abs();
}

const at::Tensor& mel_filters() {
  static const at::Tensor filters = [] {
    const MelConfig mel = bundled_mel();
    return at::tensor(mel_filterbank(mel)).view({mel.bands, -1}).t().contiguous();
  }();
  return filters;
}

}  // namespace

SpectralDistance spectral_distance(const at::Tensor& a, const at::Tensor& b) {
  SpectralDistance result{at::zeros({}, a.options()), {}};
  for (const std::int64_t size : kResolutions) {
    const at::Tensor spectrum_a = magnitudes(a, size), spectrum_b = magnitudes(b, size);
    const at::Tensor norm = spectrum_a.detach().mean({1, 2}) + spectrum_b.detach().mean({1, 2});
    const at::Tensor linear =
        ((spectrum_a - spectrum_b).abs().mean({1, 2}) / (0.5 * norm + 1e-5)).mean();
    // The floor follows the window as noise does.
    const double floor = 2e-3 * std::sqrt(static_cast<double>(size) / 1920.0);
    const at::Tensor logarithmic =
        ((spectrum_a + floor).log() - (spectrum_b + floor).log()).abs().mean();
    result.stft = result.stft + (linear + 0.5 * logarithmic) / double{kResolutions.size()};
    if (size != bundled_mel().size) continue;
    const at::Tensor filters = mel_filters().to(a.device());
    const double quietest = std::exp(double{bundled::kQuietestLogMel});
    const auto log_mel = [&](const at::Tensor& m) {
      return at::matmul(m, filters).clamp_min(quietest).log();
    };
    result.log_mel = (log_mel(spectrum_a) - log_mel(spectrum_b)).abs().mean();
  }
  return result;
}

namespace {

/// The vocoder and its opponent, so that one optimiser moves both; neither's loss reaches the
/// other's parameters.
struct Pair : torch::nn::Module {
  explicit Pair(const VocoderConfig& config)
      : vocoder(register_module("vocoder", Vocoder(config))),
        discriminator(register_module("discriminator", std::make_shared<Discriminator>())) {}

  /// Losses of the vocoder for what the discriminator thinks, then the discriminator's own.
  std::array<at::Tensor, 3> play(const at::Tensor& x, const at::Tensor& y) {
    for (auto& p : discriminator->parameters()) p.requires_grad_(false);
    const auto of_made = discriminator->forward(y);
    const at::Tensor deception = deception_loss(of_made);
    const at::Tensor likeness = feature_loss(discriminator->forward(x), of_made);
    for (auto& p : discriminator->parameters()) p.requires_grad_(true);
    const at::Tensor own =
        discriminator_loss(discriminator->forward(x), discriminator->forward(y.detach()));
    return {deception, likeness, own};
  }

  Vocoder vocoder;
  std::shared_ptr<Discriminator> discriminator;
};

Losses losses_of(Pair& pair, const VocoderTraining& settings, const RunOptions& options,
                 const Batch& batch, std::int64_t step) {
  const at::Device device(options.device);
  const at::Tensor mel = batch.log_mel.to(device), x = batch.samples.to(device);
  const at::Tensor detail =
      normal_noise({settings.batch, settings.frames, settings.network.noise_channels}, options.seed,
                   step, "detail");
  const at::Tensor white = normal_noise({settings.batch, (settings.frames + 3) * bundled::kHop},
                                        options.seed, step, "white");
  at::Tensor y;
  {
    const LowPrecision low(options.bf16, options.device);
    y = pair.vocoder(mel, detail.to(device), white.to(device));
  }
  y = y.narrow(1, (2 + kMargin) * bundled::kHop, x.size(1));
  const auto distance = spectral_distance(x, y);
  Losses losses{distance.stft + distance.log_mel,
                {{"stft", distance.stft}, {"mel_l1", distance.log_mel}}};
  const auto from = settings.finish_from * static_cast<double>(options.steps);
  std::array<at::Tensor, 3> played{at::zeros({}), at::zeros({}), at::zeros({})};
  if (static_cast<double>(step) >= from) {
    const LowPrecision low(options.bf16, options.device);
    played = pair.play(x, y);
    losses.total =
        losses.total + settings.deception * played[0] + settings.likeness * played[1] + played[2];
  }
  losses.parts.insert(
      losses.parts.end(),
      {{"deception", played[0]}, {"likeness", played[1]}, {"discriminator", played[2]}});
  return losses;
}

}  // namespace

bool train_vocoder(const VocoderTraining& settings, const RunOptions& options) {
  at::manual_seed(options.seed);
  VocoderConfig unrolled = settings.network;
  unrolled.consistency_steps = settings.unrolled;
  Pair pair(unrolled);
  begin_with(*pair.vocoder, settings.from);
  Trainer trainer(pair, options, settings.rates, {to_metadata(settings.network), "vocoder."});
  const auto pool = render_pool(options);
  return trainer.run([&](std::int64_t step) {
    return losses_of(pair, settings, options, draw_batch(pool, settings, options.seed, step), step);
  });
}

}  // namespace qingyin::training
