#include "tuning/detector_tuner.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

#include <algorithm>

#include "core/media/frame_reader.h"
#include "core/philox.h"
#include "models/checkpoint/load_weights.h"
#include "training/detector_trainer.h"
#include "tuning/low_rank_layers.h"
#include "understanding/motion_stream.h"

namespace qingyin::tuning {
namespace {

using training::DetectorExamples;
using training::FilmEvent;

constexpr double kFilmSeconds = 4;
/// A sound may come this much before its picture; both are stamped by different clocks.
constexpr std::int64_t kLeastMaps = 24;

DetectorExamples joined(std::span<const DetectorExamples> all) {
  const auto of = [&](at::Tensor DetectorExamples::*part) {
    std::vector<at::Tensor> parts;
    for (const DetectorExamples& e : all) parts.push_back(e.*part);
    return at::cat(parts);
  };
  using E = DetectorExamples;
  return {of(&E::maps), of(&E::onset),     of(&E::near),  of(&E::share),
          of(&E::kind), of(&E::intensity), of(&E::place), of(&E::lasting)};
}

/// Cuts the maps of one shot into stretches and empties them.
void end_shot(std::vector<MotionMap>& maps, const std::vector<FilmEvent>& events,
              std::int64_t steps, std::vector<DetectorExamples>& out) {
  for (std::size_t at = 0; at < maps.size(); at += static_cast<std::size_t>(steps)) {
    const auto end = std::min(maps.size(), at + static_cast<std::size_t>(steps));
    if (static_cast<std::int64_t>(end - at) < kLeastMaps) break;
    const std::vector<MotionMap> part(maps.begin() + static_cast<std::ptrdiff_t>(at),
                                      maps.begin() + static_cast<std::ptrdiff_t>(end));
    out.push_back(training::examples_of(part, events, steps));
  }
  maps.clear();
}

}  // namespace

std::vector<DetectorExamples> watch(const std::filesystem::path& folder, const OwnVideo& video,
                                    std::int64_t steps, int threads, const Progress& progress) {
  std::vector<FilmEvent> events;
  for (const HeardOnset& heard : video.onsets) {
    FilmEvent event;
    event.onset_kind = static_cast<OnsetKind>(std::max(heard.kind, 0));
    event.onset_s = event.offset_s = heard.time_s;
    event.intensity = heard.intensity;
    events.push_back(event);
  }
  const auto reader = open_frames(folder / video.file, {.rate = {},
                                                        .longest_side = MotionStream::kLongestSide,
                                                        .color = FrameColor::kGrey,
                                                        .decode_threads = threads});
  MotionStream stream(threads, Measure::kSamplesAndMaps);
  std::vector<MotionMap> maps;
  std::vector<DetectorExamples> out;
  const auto follow = [&](const std::vector<MotionItem>& items) {
    for (const MotionItem& item : items) {
      if (const auto* map = std::get_if<MotionMap>(&item)) maps.push_back(*map);
      if (std::holds_alternative<SceneCut>(item)) end_shot(maps, events, steps, out);
    }
  };
  while (const auto frame = reader->next()) {
    follow(stream.push(*frame));
    report(progress, "watch", std::clamp(frame->time / reader->clip().duration, 0.0, 1.0));
  }
  follow(stream.finish());
  end_shot(maps, events, steps, out);
  return out;
}

TensorMap tune_detector(const DetectorTuning& settings, std::span<const DetectorExamples> examples,
                        const training::RunOptions& options, bool& is_over) {
  at::set_num_threads(options.threads);
  at::manual_seed(options.seed);
  DetectorNetwork network;
  const auto file = settings.weights / "detector.safetensors";
  load_weights(*network, read_safetensors(file).tensors, file.string());
  for (const auto& p : network->parameters()) p.set_requires_grad(false);
  torch::nn::Module parameters;
  LowRankLayers layers(parameters, *network, settings.rank,
                       [](const std::string&) { return true; });
  const DetectorExamples own = joined(examples);
  const DetectorExamples films =
      training::shoot_examples(derive_seed(options.seed, "rehearsal"), settings.films, kFilmSeconds,
                               own.maps.size(1), options.threads);
  training::Trainer trainer(parameters, options, settings.rates);
  is_over = !trainer.run([&](std::int64_t step) {
    const std::uint64_t mixed =
        derive_seed(options.seed + static_cast<std::uint64_t>(step), "own videos");
    auto generator = at::make_generator<at::CPUGeneratorImpl>(mixed);
    const auto pick = [&](const DetectorExamples& pool, std::int64_t count) {
      const at::Tensor picked = at::randint(pool.maps.size(0), {count}, generator, at::kLong);
      const at::Tensor mirrored = at::rand({count}, generator, at::kFloat) < 0.5;
      DetectorExamples batch = training::picked_examples(pool, picked, mirrored, at::kCPU);
      batch.maps = training::roughened(batch.maps, generator);
      return batch;
    };
    layers.apply();
    const DetectorExamples mine = pick(own, settings.own), seen = pick(films, settings.simulated);
    const training::Losses learnt = onset_losses(network(mine.maps), mine);
    const training::Losses kept = detector_losses(network(seen.maps), seen);
    return training::Losses{learnt.total + kept.total,
                            {{"own", learnt.total}, {"rehearsed", kept.total}}};
  });
  return adapter_tensors(trainer.average(), "detector");
}

}  // namespace qingyin::tuning
