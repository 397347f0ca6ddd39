// Time of the parts that a render spends its time in. Run by ./dev bench.
#include <benchmark/benchmark.h>

#include <vector>

#include "audio_gen/audio_generator.h"
#include "core/dsp/loudness.h"
#include "core/dsp/mel.h"
#include "core/dsp/onset.h"
#include "core/philox.h"
#include "models/registry/model_registry.h"

namespace qingyin {
namespace {

constexpr int kRate = 48000;

std::vector<float> noise(std::int64_t samples) {
  std::vector<float> out(static_cast<std::size_t>(samples));
  Philox(1, 2).normal(out);
  for (float& sample : out) sample *= 0.1F;
  return out;
}

/// Seconds of sound that are worked through in a second of time.
void count_sound(benchmark::State& state, double seconds) {
  state.counters["x_real_time"] =
      benchmark::Counter(seconds, benchmark::Counter::kIsIterationInvariantRate);
}

const AudioGenerator& engine() {
  static const auto made = make_bundled_engine(find_models_folder());
  return *made;
}

void BM_PhiloxNormal(benchmark::State& state) {
  std::vector<float> out(kRate);
  const Philox random(1, 2);
  for (auto _ : state) random.normal(out);
  count_sound(state, 1);
}
BENCHMARK(BM_PhiloxNormal);

void BM_Mel(benchmark::State& state) {
  const auto sound = noise(10 * kRate);
  const MelSpectrogram mel(bundled_mel());
  for (auto _ : state) benchmark::DoNotOptimize(mel(sound));
  count_sound(state, 10);
}
BENCHMARK(BM_Mel)->Unit(benchmark::kMillisecond);

void BM_FindOnsets(benchmark::State& state) {
  const auto sound = noise(10 * kRate);
  for (auto _ : state) benchmark::DoNotOptimize(find_onsets(sound, kRate));
  count_sound(state, 10);
}
BENCHMARK(BM_FindOnsets)->Unit(benchmark::kMillisecond);

void BM_Limiter(benchmark::State& state) {
  const auto stereo = noise(2 * 10 * kRate);
  for (auto _ : state) {
    Limiter limiter({.sample_rate_hz = kRate, .channels = 2, .ceiling_dbtp = -12});
    benchmark::DoNotOptimize(limiter.push(stereo));
    benchmark::DoNotOptimize(limiter.finish());
  }
  count_sound(state, 10);
}
BENCHMARK(BM_Limiter)->Unit(benchmark::kMillisecond);

void BM_LoudnessMeter(benchmark::State& state) {
  const auto stereo = noise(2 * 10 * kRate);
  for (auto _ : state) {
    LoudnessMeter meter(kRate, 2);
    meter.add(stereo);
    benchmark::DoNotOptimize(meter.figures());
  }
  count_sound(state, 10);
}
BENCHMARK(BM_LoudnessMeter)->Unit(benchmark::kMillisecond);

void BM_RenderImpact(benchmark::State& state) {
  SoundEvent event;
  event.id = "e1";
  event.label = "impact";
  event.offset = Seconds(0.2);
  for (auto _ : state) {
    ++event.seed;
    benchmark::DoNotOptimize(engine().render(event, {}));
  }
}
BENCHMARK(BM_RenderImpact)->Unit(benchmark::kMillisecond);

void BM_RainStream(benchmark::State& state) {
  SoundEvent like;
  like.id = "a1";
  like.label = "rain";
  const auto stream = engine().open_stream(like, {});
  std::vector<float> block(10 * kRate);
  for (auto _ : state) stream->read(block);
  count_sound(state, 10);
}
BENCHMARK(BM_RainStream)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace qingyin
