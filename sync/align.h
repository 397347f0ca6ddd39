#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/audio_buffer.h"
#include "core/time.h"

namespace qingyin {

/// A sound on the clip's clock, mono at `kOutputRateHz`.
struct PlacedSound {
  std::vector<float> samples;
  std::int64_t start = 0;        // sample of the clip that `samples` begins at, at least 0
  std::optional<Seconds> onset;  // measured in `samples`; none: the sound is silent
};

struct Placement {
  Seconds onset;                   // where the attack should stand
  std::optional<Seconds> release;  // where something sustained ends; none: it rings out by itself
};

/// Moves a sound so that the attack found in it stands on the wanted onset. What comes before the
/// attack (pre-echo, noise of a vocoder) is removed with a fade of 3 ms; what lasts past `release`
/// fades away in 150 ms; the end is never a step. A function of its arguments alone: the samples of
/// an event are the same whatever else is in the clip.
/// @throws Error kInternal if the sound is not mono, or a time is negative
PlacedSound align(const EventSound& sound, const Placement& wanted);

/// Where the attack of a sound stands, from its first sample on: looked for up to 150 ms after
/// `sound.lead`, so that a later swell does not count. None if it is silent until then.
std::optional<Seconds> measure_onset(const EventSound& sound);

}  // namespace qingyin
