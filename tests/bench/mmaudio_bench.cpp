// Time of MMAudio's stages at full size with random weights, for a window of 8 s, and of the
// vocoder's activation next to its slow twin.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <vector>

#include "audio_gen/mmaudio/alias_free.h"
#include "audio_gen/mmaudio/mmaudio_networks.h"
#include "core/philox.h"

namespace qingyin::mmaudio {
namespace {

constexpr std::int64_t kSegments = 24;  // 8 s

std::vector<float> noise(std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  Philox(1, 2).normal(values);
  return values;
}

NetworkSettings settings_of(const benchmark::State& state) {
  return {.precision = state.range(1) == 16 ? FlowPrecision::kBfloat16 : FlowPrecision::kFloat32,
          .threads = static_cast<int>(state.range(2))};
}

ModelConfig config_of(const benchmark::State& state) {
  return model_of(static_cast<Variant>(state.range(0)));
}

/// Arguments: variant, bits of the flow network's numbers, threads.
void variants(benchmark::internal::Benchmark* b, const std::vector<std::int64_t>& bits) {
  b->ArgNames({"variant", "bits", "threads"})->Unit(benchmark::kMillisecond)->UseRealTime();
  for (const Variant variant : {Variant::kSmall16k, Variant::kLarge44kV2})
    for (const std::int64_t width : bits)
      for (const std::int64_t threads : {1, 2})
        b->Args({static_cast<std::int64_t>(variant), width, threads});
}

/// One evaluation with guidance: two rows.
void BM_FlowEvaluation(benchmark::State& state) {
  const ModelConfig config = config_of(state);
  Networks networks(config, settings_of(state));
  const SequenceLengths lengths = sequence_lengths_of(config.sound, kSegments);
  const auto clip = noise(lengths.clip * config.flow.clip_size),
             sync = noise(lengths.sync * config.flow.sync_size),
             text = noise(config.flow.text_tokens * config.flow.text_size),
             latents = noise(lengths.latents * config.sound.latents);
  const auto conditions = networks.prepare({clip, sync, text, {}}, lengths.latents);
  for (auto _ : state) benchmark::DoNotOptimize(networks.velocity(latents, conditions, 0.5, 4.5));
}
BENCHMARK(BM_FlowEvaluation)->Apply([](auto* b) { variants(b, {32, 16}); });

void BM_VaeDecode(benchmark::State& state) {
  const ModelConfig config = config_of(state);
  Networks networks(config, settings_of(state));
  networks.load(Stage::kVae);
  const auto latents =
      noise(sequence_lengths_of(config.sound, kSegments).latents * config.sound.latents);
  for (auto _ : state) benchmark::DoNotOptimize(networks.to_mel(latents));
}
BENCHMARK(BM_VaeDecode)->Apply([](auto* b) { variants(b, {32}); });

void BM_Vocoder(benchmark::State& state) {
  const ModelConfig config = config_of(state);
  Networks networks(config, settings_of(state));
  networks.load(Stage::kVocoder);
  const auto mel = noise(sequence_lengths_of(config.sound, kSegments).latents *
                         kMelFramesPerLatent * config.sound.bands);
  for (auto _ : state) benchmark::DoNotOptimize(networks.to_samples(mel));
}
BENCHMARK(BM_Vocoder)->Apply([](auto* b) { variants(b, {32}); });

/// Arguments: channels, times. @param activation  the kernel or its slow twin
template <auto activation>
void BM_Activation(benchmark::State& state) {
  const c10::InferenceMode inference;
  at::set_num_threads(1);
  const std::int64_t channels = state.range(0), length = state.range(1);
  const at::Tensor x = at::randn({1, length, channels});
  const SnakeParameters p{at::zeros({channels}), at::zeros({channels}), at::randn({12}),
                          at::randn({12})};
  for (auto _ : state) benchmark::DoNotOptimize(activation(x, p));
  state.SetItemsProcessed(state.iterations() * channels * length);
}
constexpr auto kWidest = std::make_pair(768, 2000), kNarrowest = std::make_pair(24, 128000);
BENCHMARK(BM_Activation<alias_free_snake>)
    ->Args({kWidest.first, kWidest.second})
    ->Args({kNarrowest.first, kNarrowest.second})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Activation<alias_free_snake_slow>)
    ->Args({kWidest.first, kWidest.second})
    ->Args({kNarrowest.first, kNarrowest.second})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace qingyin::mmaudio
