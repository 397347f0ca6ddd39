#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "audio_gen/mmaudio/sequence.h"
#include "core/time.h"

namespace qingyin::mmaudio {

/// A stretch of a spectrogram, in mel frames.
struct EventCut {
  std::int64_t begin, attack, end;
};

/// Where the sound of one event stands in what was made from its words.
/// @param log_mel   [F, M]
/// @param length    how long the event lasts
/// @param expected  where it should begin; it is looked for there, at most 0.4 s off. None:
///                  anywhere
/// @param is_sustained  from its begin on for as long as it lasts; otherwise the strongest attack,
///                      until the next one that is nearly as strong or its decay is over
EventCut cut_event(std::span<const float> log_mel, const SoundFormat& format, Seconds length,
                   bool is_sustained, std::optional<Seconds> expected = {});

}  // namespace qingyin::mmaudio
