#include <algorithm>
#include <cmath>
#include <utility>

#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "pipeline/job.h"
#include "pipeline/seeds.h"
#include "pipeline/sound_pass.h"
#include "pipeline/stage_progress.h"
#include "sync/align.h"

namespace qingyin {
namespace {

constexpr Seconds kAttackAt(0.005), kFadeIn(0.01), kFadeOut(0.15);
constexpr Seconds kLasting(1.5), kTexture(4);  // lengths where none is asked for
constexpr float kInaudible = 1e-4F;            // -80 dBFS

SoundEvent event_of(const EffectRequest& effect, std::uint64_t base_seed) {
  SoundEvent event;
  event.id = "sfx";
  event.label = effect.words;
  event.caption = effect.words;
  event.material = effect.material;
  event.size = effect.size;
  event.intensity = effect.intensity;
  EventTimeline timeline;
  timeline.events.push_back(std::move(event));
  assign_seeds(timeline, base_seed);
  return std::move(timeline.events.front());
}

bool is_texture(const LabelMatch& match) {
  if (match.is_texture) return true;
  const auto id = class_id(match.label);
  return id && sound_classes()[static_cast<std::size_t>(*id)].shape == SoundShape::kTexture;
}

Seconds length_of(const EffectRequest& effect, const LabelMatch& match) {
  if (effect.duration) return *effect.duration;
  return is_texture(match) ? kTexture : kLasting;
}

void fade_edges(std::vector<float>& mono) {
  const auto ramp = [&](Seconds fade, bool is_end) {
    const auto length =
        std::min(static_cast<std::size_t>(samples_for(fade, kOutputRateHz)), mono.size() / 2);
    for (std::size_t n = 0; n < length; ++n) {
      mono[is_end ? mono.size() - 1 - n : n] *= static_cast<float>(n) / static_cast<float>(length);
    }
  };
  ramp(kFadeIn, false);
  ramp(kFadeOut, true);
}

// One-shots, and what is sustained for a short while: rendered as a whole.
std::vector<float> finite_sound(const AudioGenerator& engine, const SoundEvent& event,
                                const LabelMatch& match, const SoundOptions& options,
                                std::optional<Seconds> wanted, const Progress& progress) {
  Placement placement{kAttackAt, {}};
  if (match.is_sustained) placement.release = kAttackAt + (event.offset - event.onset);
  auto mono = align(engine.render(event, options.settings, progress), placement).samples;
  const auto last =
      std::find_if(mono.rbegin(), mono.rend(), [](float x) { return std::abs(x) > kInaudible; });
  mono.erase(last.base(), mono.end());
  if (!wanted) return mono;
  const auto length = static_cast<std::size_t>(samples_for(*wanted, kOutputRateHz));
  if (mono.size() > length) {
    mono.resize(length);
    fade_edges(mono);
  }
  mono.resize(length);
  return mono;
}

std::vector<float> endless_sound(const AudioGenerator& engine, const SoundEvent& event,
                                 const SoundOptions& options, const Progress& progress) {
  const auto total = static_cast<std::size_t>(samples_for(event.offset, kOutputRateHz));
  const auto window = static_cast<std::size_t>(samples_for(sound_window(), kOutputRateHz));
  std::vector<float> mono(total);
  const auto stream = engine.open_stream(event, options.settings);
  for (std::size_t at = 0; at < total; at += window) {
    report(progress, "", static_cast<double>(at) / static_cast<double>(total));
    stream->read(std::span(mono).subspan(at, std::min(window, total - at)));
  }
  // A stream's level is that of intensity 0.5.
  const double gain_db = level_dbfs(event.intensity) - level_dbfs(0.5);
  for (float& sample : mono) sample *= static_cast<float>(std::pow(10, gain_db / 20));
  fade_edges(mono);
  return mono;
}

StemBlock as_stereo(const std::vector<float>& mono) {
  StemBlock block{std::ssize(mono), {std::vector<float>(2 * mono.size())}};
  for (std::size_t n = 0; n < mono.size(); ++n) {
    block.stems[0][2 * n] = block.stems[0][2 * n + 1] = mono[n];
  }
  return block;
}

}  // namespace

Result Pipeline::make_effect(const EffectRequest& effect, const SoundOptions& options,
                             const OutputRequest& output, const Progress& progress) const {
  SoundEvent event = event_of(effect, options.seed);
  const LabelMatch match = require_match(engine(), event, "sfx");
  const bool is_endless = is_texture(match) || (match.is_sustained && length_of(effect, match) >
                                                                          engine().longest_event());
  event.offset = length_of(effect, match);

  Job job{
      .options = options, .output = output, .report = begin_report("sfx", options), .channels = 1};
  job.duration = event.offset;
  job.report.options["intensity"] = std::to_string(effect.intensity);
  job.report.options["size"] = effect.size ? std::to_string(*effect.size) : "";
  job.report.options["material"] = effect.material;
  job.report.options["duration"] = effect.duration ? std::to_string(effect.duration->count()) : "";
  if (!match.is_exact)
    job.report.warnings.push_back("the nearest sound that the engine has: " + match.label);
  if (job.is_made(effect.words)) return {std::move(job.report), job.report_file(), true};
  job.open_outputs();

  job.stopwatch.begin("render");
  const Progress watch = stage_of(progress, "render", 0, 1);
  engine().prepare({&event, 1}, options.settings, watch);
  const auto mono = is_endless
                        ? endless_sound(engine(), event, options, watch)
                        : finite_sound(engine(), event, match, options, effect.duration, watch);
  job.stopwatch.begin("finish");
  auto sinks = job.open_sinks({});
  Mastering mastering(loudness_target(options.loudness), job.folder(),
                      [&](std::span<const float> mix, const StemBlock& stems) {
                        for (auto& sink : sinks) sink->write(mix, stems);
                      });
  mastering.add(as_stereo(mono));
  job.take(mastering.finish());
  job.close(sinks);
  job.report.duration = Seconds(static_cast<double>(mono.size()) / kOutputRateHz);
  job.report.events.push_back({event.id,
                               "event",
                               match.label,
                               match.material,
                               match.is_exact,
                               event.lane,
                               event.seed,
                               is_endless ? Seconds(0) : kAttackAt,
                               {}});
  return job.finish();
}

}  // namespace qingyin
