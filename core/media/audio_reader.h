#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "core/media/clip.h"

namespace qingyin {

/// The original sound of a clip as stereo float at 48 kHz on the clip's clock: sample 0 is heard
/// with the first shown frame. Gaps and a late start are silence; an early start is cut off;
/// past the end of the track it delivers silence for ever.
class AudioReader {
 public:
  virtual ~AudioReader() = default;
  /// Fills `interleaved` ([length, 2]) with the next samples.
  virtual void read(std::span<float> interleaved) = 0;
};

/// The track `clip.audio_stream`. @throws Error kInvalidInput if there is none or it cannot be
/// decoded
std::unique_ptr<AudioReader> open_audio(const ClipInfo& clip, const MediaLimits& limits = {});

}  // namespace qingyin
