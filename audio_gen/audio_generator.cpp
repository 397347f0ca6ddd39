#include "audio_gen/audio_generator.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace qingyin {
namespace {

void check(const SoundEvent& event, const RenderSettings& settings) {
  require(settings.steps >= 1 && settings.steps <= 200, ErrorCode::kUsage,
          "sound: steps must be 1 to 200");
  require(std::isfinite(settings.guidance) && settings.guidance >= 0 && settings.guidance <= 10,
          ErrorCode::kUsage, "sound: guidance must be 0 to 10");
  require(std::isfinite(event.onset.count()) && std::isfinite(event.offset.count()) &&
              event.offset >= event.onset,
          ErrorCode::kInvalidInput, "sound: event " + event.id + " ends before it begins");
  require(std::isfinite(event.intensity), ErrorCode::kInvalidInput,
          "sound: event " + event.id + " has no intensity");
}

}  // namespace

EventSound AudioGenerator::render(const SoundEvent& event, const RenderSettings& settings,
                                  const Progress& progress) const {
  check(event, settings);
  EventSound sound = do_render(event, settings, progress);
  const bool is_finite =
      std::ranges::all_of(sound.audio.samples, [](float x) { return std::isfinite(x); });
  require(is_finite && sound.audio.channels == 1 && sound.lead.count() >= 0, ErrorCode::kInternal,
          "sound: the engine made no valid sound for event " + event.id);
  return sound;
}

std::unique_ptr<SoundStream> AudioGenerator::open_stream(const SoundEvent& like,
                                                         const RenderSettings& settings) const {
  check(like, settings);
  return do_open_stream(like, settings);
}

double level_dbfs(double intensity) { return -40 + 29 * std::clamp(intensity, 0.0, 1.0); }

}  // namespace qingyin
