#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/audio_buffer.h"
#include "core/media/audio_reader.h"
#include "core/progress.h"
#include "sync/mastering.h"
#include "sync/original_sound.h"

namespace qingyin {

/// The sound of a whole clip on its way into the mix: one lane of the engine's, and the clip's own
/// sound where it stays.
struct WholePass {
  std::string lane;
  Seconds duration{0};
  OriginalSound original_mode = OriginalSound::kReplace;
  AudioReader* original = nullptr;  // none: the clip has no sound

  std::vector<std::string> lanes() const;
  /// Reads `sound` block by block, the same on both sides, into `mastering`: in all
  /// samples_for(duration) samples. @throws Error kCancelled; what the stream throws
  void run(std::unique_ptr<SoundStream> sound, Mastering& mastering,
           const Progress& progress) const;

 private:
  bool has_original() const;
};

}  // namespace qingyin
