#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "audio_gen/audio_generator.h"
#include "audio_gen/bundled/class_list.h"
#include "audio_gen/bundled/event_control.h"
#include "audio_gen/bundled/networks.h"
#include "audio_gen/vocabulary.h"

namespace qingyin::bundled {

/// The engine's reading of an event: what its label, material and caption mean, and how it lasts.
struct SoundPlan {
  int class_id;  // one that the weights know
  int material_id;
  double size, intensity;
  std::uint64_t seed;
  bool is_exact;  // the class was named, not guessed
  bool is_texture, is_sustained;
  double duration_s;               // from onset to offset, where it lasts
  std::vector<float> level_curve;  // amplitude every 10 ms, or empty
};

/// None if no word of the event is known.
/// @param classes  what there is: those that the weights do not know have a stand-in; a new class
/// is
///                 meant wherever the label, or else the caption, names it
std::optional<SoundPlan> plan_of(const SoundEvent& event, const ClassList& classes);

/// Grows the latents of one sound window by window, each going on from the last tokens of the one
/// before.
class LatentSequence {
 public:
  LatentSequence(const Networks& networks, SoundPlan plan, const RenderSettings& settings)
      : networks_(networks), plan_(std::move(plan)), settings_(settings) {}

  /// The log-mel frames [F, M] that the next window completes: 104 of the first, then 72 each. The
  /// last six tokens of a window fade into what the next one makes of them, so that a window that
  /// goes on a little louder or brighter does so over 240 ms.
  std::vector<float> next_frames();

 private:
  const Networks& networks_;
  SoundPlan plan_;
  RenderSettings settings_;
  std::uint64_t window_ = 0;
  std::vector<float> context_;  // 8 tokens that the next window is given
  std::vector<float> held_;     // and 6 that follow them: not decoded yet
};

}  // namespace qingyin::bundled
