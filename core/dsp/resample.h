#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/audio_buffer.h"

namespace qingyin {

/// The same sound at another rate (soxr, high quality). Length: round(length * to / from).
AudioBuffer resample(const AudioBuffer& audio, int sample_rate_hz);

/// The same for mono sound that comes in pieces: how it is cut changes no sample.
class StreamResampler {
 public:
  StreamResampler(int from_hz, int to_hz);
  ~StreamResampler();
  StreamResampler(const StreamResampler&) = delete;
  StreamResampler& operator=(const StreamResampler&) = delete;

  /// What can be told after these samples.
  std::vector<float> push(std::span<const float> mono);
  /// What is still held back. Nothing may be pushed afterwards.
  std::vector<float> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qingyin
