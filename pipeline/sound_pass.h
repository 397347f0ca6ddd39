#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "audio_gen/audio_generator.h"
#include "core/events.h"
#include "core/media/audio_reader.h"
#include "core/progress.h"
#include "pipeline/report.h"
#include "sync/mastering.h"
#include "sync/original_sound.h"

namespace qingyin {

/// What one pass over a timeline needs.
struct SoundPass {
  const AudioGenerator& engine;
  const EventTimeline& timeline;  // every event and layer has its seed
  Seconds duration{0};
  RenderSettings settings;
  int threads = 1;
  OriginalSound original_mode = OriginalSound::kReplace;
  AudioReader* original = nullptr;  // none: the clip has no sound
};

/// What came of the events and layers of a pass.
struct PassFacts {
  std::vector<ReportEvent> events;
  std::vector<std::string> warnings;
};

/// The stretch of the clip that is worked on at a time.
constexpr Seconds sound_window() { return Seconds(2); }

/// Names of the stems of a pass, in their order: the events' lanes by name, "ambience" if there are
/// layers, "original" if the clip's own sound stays.
std::vector<std::string> lanes_of(const SoundPass& pass);

/// Every event and layer that the engine has no sound for.
/// @throws Error kInvalidInput naming them, reason "unknown_sound"
void require_known_sounds(const AudioGenerator& engine, const EventTimeline& timeline);

/// Renders, aligns and mixes the whole timeline, window by window, into `mastering`: in all
/// samples_for(duration) samples of every lane. Does not finish the mastering.
/// @throws Error kCancelled; what the engine throws
PassFacts run(const SoundPass& pass, Mastering& mastering, const Progress& progress);

}  // namespace qingyin
