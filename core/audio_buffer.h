#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/time.h"

namespace qingyin {

/// PCM audio. `samples` is [length, channels] interleaved, full scale is [-1, 1].
struct AudioBuffer {
  std::vector<float> samples;
  int sample_rate_hz = 48000;
  int channels = 1;

  std::int64_t length() const { return static_cast<std::int64_t>(samples.size()) / channels; }
  Seconds duration() const { return Seconds(static_cast<double>(length()) / sample_rate_hz); }
};

/// The sound of one event, mono. It is meant to be heard from `lead` before the event's onset on:
/// the attack stands near sample lead * rate (sync/ measures where exactly).
struct EventSound {
  AudioBuffer audio;
  Seconds lead{0};
};

/// A sound that goes on for as long as it is asked, mono.
class SoundStream {
 public:
  virtual ~SoundStream() = default;
  /// Fills `mono` with the next samples, without a seam to the last ones.
  virtual void read(std::span<float> mono) = 0;
};

}  // namespace qingyin
