#include "training/detector_trainer.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "core/philox.h"

namespace qingyin::training {
namespace {

/// Channels that change their sign in a mirror.
constexpr std::int64_t kRightward[] = {0, 7};
/// Of what lasts, for it is rare, against what does not.
constexpr double kLastingWeight = 2;

at::Tensor mean_where(const at::Tensor& values, const at::Tensor& weight) {
  return (values * weight).sum() / weight.sum().clamp_min(1.0);
}

/// Channels that show how things look, not how they move.
constexpr std::int64_t kFirstLook = 5, kLooks = 2;

}  // namespace

at::Tensor roughened(const at::Tensor& maps, at::Generator& generator) {
  constexpr double kNoise = 0.12;
  const std::int64_t batch = maps.size(0);
  at::Tensor rough = maps + kNoise * at::randn(maps.sizes(), generator, at::kFloat);
  const at::Tensor shifts = at::randint(-1, 2, {batch, 2}, generator, at::kLong);
  const at::Tensor is_blind = at::rand({batch}, generator, at::kFloat) < 0.5;
  for (std::int64_t b = 0; b < batch; ++b) {
    at::Tensor one = rough[b];
    const auto down = shifts[b][0].item<std::int64_t>(), right = shifts[b][1].item<std::int64_t>();
    one.copy_(one.roll({down, right}, {2, 3}));
    if (is_blind[b].item<bool>()) one.narrow(1, kFirstLook, kLooks).zero_();
  }
  return rough;
}

Losses onset_losses(const DetectorOutput& said, const DetectorExamples& wanted) {
  const auto none = at::Reduction::None;
  const at::Tensor onset = wanted.onset;
  // Beside an onset either answer will do; elsewhere quiet counts in full.
  const at::Tensor weight = at::where(onset > 0, 4.0, 1 - 0.8 * wanted.near);
  const at::Tensor sure = said.onset.sigmoid();
  const at::Tensor miss = (onset - sure).abs().sqrt();  // sure answers weigh less
  const at::Tensor heat =
      (weight * miss * at::binary_cross_entropy_with_logits(said.onset, onset, {}, {}, none))
          .mean();
  const at::Tensor share = mean_where(
      at::binary_cross_entropy_with_logits(said.share, wanted.share, {}, {}, none), onset);
  const at::Tensor intensity = mean_where((said.intensity - wanted.intensity).abs(), onset);
  return {10 * heat + 0.2 * share + 0.5 * intensity,
          {{"heat", heat}, {"share", share}, {"intensity", intensity}}};
}

Losses detector_losses(const DetectorOutput& said, const DetectorExamples& wanted) {
  const at::Tensor onset = wanted.onset;
  const Losses known = onset_losses(said, wanted);
  const at::Tensor heat = known.parts[0].second, share = known.parts[1].second,
                   intensity = known.parts[2].second;
  const at::Tensor log_kind = at::log_softmax(said.kind, 2);
  const at::Tensor kind =
      mean_where(-log_kind.gather(2, wanted.kind.unsqueeze(2)).squeeze(2), onset);
  const at::Tensor place = mean_where((said.place - wanted.place).abs().sum(2), onset);
  const at::Tensor lasting = at::binary_cross_entropy_with_logits(
      said.lasting, wanted.lasting, {}, at::full({}, kLastingWeight, wanted.lasting.options()),
      at::Reduction::Mean);
  const at::Tensor total =
      10 * heat + 0.2 * share + 0.5 * kind + 0.5 * intensity + 0.3 * place + 2 * lasting;
  return {total,
          {{"heat", heat},
           {"share", share},
           {"kind", kind},
           {"intensity", intensity},
           {"place", place},
           {"lasting", lasting}}};
}

DetectorExamples picked_examples(const DetectorExamples& pool, const at::Tensor& picked,
                                 const at::Tensor& mirrored, const at::Device& device) {
  const auto take = [&](const at::Tensor& part) { return part.index_select(0, picked); };
  at::Tensor maps = take(pool.maps).to(at::kFloat);
  at::Tensor mirror = maps.flip({4});
  for (const std::int64_t channel : kRightward) mirror.select(2, channel).neg_();
  maps = at::where(mirrored.view({-1, 1, 1, 1, 1}), mirror, maps);
  at::Tensor place = take(pool.place);
  place.select(2, 0).mul_(at::where(mirrored, -1.0F, 1.0F).unsqueeze(1));
  return {maps.to(device),
          take(pool.onset).to(device),
          take(pool.near).to(device),
          take(pool.share).to(device),
          take(pool.kind).to(device),
          take(pool.intensity).to(device),
          place.to(device),
          take(pool.lasting).to(device)};
}

bool train_detector(const DetectorTraining& settings, const RunOptions& options) {
  at::manual_seed(options.seed);
  DetectorNetwork network(settings.network);
  Trainer trainer(*network, options, settings.rates);
  const DetectorExamples pool = shoot_examples(options.seed, options.sounds, settings.film_s,
                                               settings.steps_per_film, options.threads);
  const at::Device device(options.device);
  return trainer.run([&](std::int64_t step) {
    const std::uint64_t mixed =
        derive_seed(options.seed + static_cast<std::uint64_t>(step), "detector batch");
    auto generator = at::make_generator<at::CPUGeneratorImpl>(mixed);
    const at::Tensor picked = at::randint(options.sounds, {settings.batch}, generator, at::kLong);
    const at::Tensor mirrored = at::rand({settings.batch}, generator, at::kFloat) < 0.5;
    DetectorExamples batch = picked_examples(pool, picked, mirrored, device);
    batch.maps = roughened(batch.maps.cpu(), generator).to(device);
    const LowPrecision low(options.bf16, options.device);
    return detector_losses(network(batch.maps), batch);
  });
}

}  // namespace qingyin::training
