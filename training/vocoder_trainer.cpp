#include "training/vocoder_trainer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "audio_gen/bundled/latent_codec.h"
#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/dsp/mel.h"
#include "core/philox.h"
#include "training/sound_pool.h"

namespace qingyin::training {
namespace {

constexpr double kSoundSeconds = 1.6;
/// Frames at each end of a crop that the loss leaves out: they lack context.
constexpr std::int64_t kMargin = 4;
constexpr std::array<std::int64_t, 3> kResolutions{1920, 512, 128};

struct PooledSound {
  at::Tensor samples;  // [L]
  at::Tensor log_mel;  // [F, M]
};

/// Half of the spectrograms go through the latent, for so the engine's come to the vocoder.
std::vector<PooledSound> render_pool(const RunOptions& options, const bundled::LatentCodec& codec) {
  const auto classes = static_cast<std::int64_t>(sound_classes().size());
  std::vector<PooledSound> pool(static_cast<std::size_t>(options.sounds));
  in_parallel(options.sounds, options.threads, [&](std::int64_t i) {
    const TrainingSound sound = training_sound(options.seed, i, kSoundSeconds);
    auto mel = bundled::clamped_log_mel(sound.samples);
    if (i / classes % 2 == 1) mel = codec.decode(codec.encode(mel));
    pool[static_cast<std::size_t>(i)] = {at::tensor(sound.samples),
                                         at::tensor(mel).view({-1, bundled::kMelBands})};
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

bool train_vocoder(const VocoderTraining& settings, const RunOptions& options) {
  at::manual_seed(options.seed);
  Vocoder vocoder(settings.network);
  Trainer trainer(*vocoder, options, settings.rates);
  const auto pool = render_pool(options, bundled::LatentCodec(settings.codec));
  const at::Device device(options.device);
  const std::int64_t twice = 2 * settings.batch;
  return trainer.run([&](std::int64_t step) {
    const Batch batch = draw_batch(pool, settings, options.seed, step);
    const at::Tensor mel = batch.log_mel.repeat({2, 1, 1}).to(device);
    const at::Tensor detail = normal_noise(
        {twice, settings.frames, settings.network.noise_channels}, options.seed, step, "detail");
    const at::Tensor white =
        normal_noise({twice, (settings.frames + 3) * bundled::kHop}, options.seed, step, "white");
    at::Tensor y;
    {
      const LowPrecision low(options.bf16, options.device);
      y = vocoder(mel, detail.to(device), white.to(device));
    }
    const at::Tensor x = batch.samples.to(device);
    y = y.narrow(1, (2 + kMargin) * bundled::kHop, x.size(1));
    const at::Tensor y1 = y.narrow(0, 0, settings.batch);
    const at::Tensor y2 = y.narrow(0, settings.batch, settings.batch);
    const auto first = spectral_distance(x, y1), second = spectral_distance(x, y2);
    const auto between = spectral_distance(y1, y2);
    const at::Tensor mel_l1 = 0.5 * (first.log_mel + second.log_mel);
    const at::Tensor energy = first.stft + second.stft - between.stft;
    return Losses{energy + 0.5 * mel_l1,
                  {{"stft", first.stft}, {"between", between.stft}, {"mel_l1", mel_l1}}};
  });
}

}  // namespace qingyin::training
