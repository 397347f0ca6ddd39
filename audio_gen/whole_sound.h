#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "audio_gen/audio_generator.h"
#include "core/audio_buffer.h"
#include "core/progress.h"
#include "models/visual_features.h"

namespace qingyin {

/// Turns words into what an engine conditions on. Calls must not overlap.
class WordReader {
 public:
  virtual ~WordReader() = default;
  /// @return  [T, D], every token
  virtual FeatureTensor read(const std::string& words) = 0;
  /// Frees the memory of networks; the next call that needs them loads them again.
  virtual void rest() = 0;
};

/// What an engine's own encoders see of a clip, in rows on the clip's clock. Past the last frame
/// the picture stands still. Nothing is computed here: everything was looked at before.
class ClipSenses {
 public:
  virtual ~ClipSenses() = default;
  /// Pictures at k / 8 s for k in [first, first + count). [count, E]
  virtual FeatureTensor pictures(std::int64_t first, std::int64_t count) = 0;
  /// Segments of 0.64 s that begin at 0.32 s * k. [8 count, D]
  virtual FeatureTensor motion(std::int64_t first, std::int64_t count) = 0;
};

/// The sound of a whole clip, as it is wanted.
struct WholeWish {
  Seconds duration{0};
  std::string prompt;  // empty: the picture alone decides
  std::uint64_t seed = 0;
  RenderSettings settings;
  std::vector<Seconds> cuts;     // neighbouring windows are preferably joined there
  ClipSenses* senses = nullptr;  // none: the words alone decide
};

/// How much an engine has to see of a clip.
struct SightNeed {
  std::int64_t pictures = 0, segments = 0;
  /// Only what is seen within these times is asked for; empty: everything.
  std::vector<std::pair<Seconds, Seconds>> spans = {};
};

/// An engine with eyes of its own: it makes the sound of a whole clip from pictures and words.
/// Const calls may overlap; one waits for the other.
class WholeSoundEngine {
 public:
  virtual ~WholeSoundEngine() = default;

  /// What `WholeWish::senses` are asked for.
  virtual SightNeed sight_need(Seconds duration, const std::vector<Seconds>& cuts) const = 0;

  /// What `RenderSettings::senses` are asked for by the events that end by themselves.
  virtual SightNeed sight_need(std::span<const SoundEvent> events) const = 0;

  /// The sound from the first frame on, mono at 48 kHz; silence after its end. The long work is
  /// done in here, one window after another; reading turns the result into samples.
  /// @throws Error  kCancelled; kUsage if the wished initial noise does not fit
  virtual std::unique_ptr<SoundStream> render_whole(const WholeWish& wish,
                                                    const Progress& progress) const = 0;
};

}  // namespace qingyin
