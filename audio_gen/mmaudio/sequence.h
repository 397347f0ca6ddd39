#pragma once

#include <cstdint>
#include <vector>

#include "core/time.h"

namespace qingyin::mmaudio {

/// What sound is to one pair of mel VAE and vocoder.
struct SoundFormat {
  int sample_rate_hz;
  std::int64_t hop;       // samples from one mel frame to the next
  std::int64_t bands;     // M
  std::int64_t latents;   // C
  bool is_log10 = false;  // the mel spectrogram; otherwise natural logarithms

  bool operator==(const SoundFormat&) const = default;
};

SoundFormat sound_16k();
SoundFormat sound_44k();

/// Frames per second that the visual encoders see, and how Synchformer cuts them into segments.
inline constexpr std::int64_t kClipRate = 8, kSyncRate = 25;
inline constexpr std::int64_t kSegmentFrames = 16, kSegmentStep = 8, kSegmentTokens = 8;
inline constexpr std::int64_t kMelFramesPerLatent = 2;

/// Lengths of everything that describes one window.
struct SequenceLengths {
  std::int64_t latents;  // N
  std::int64_t clip;     // Nc frames of CLIP
  std::int64_t sync;     // Ns tokens of Synchformer, 8 a segment
  std::int64_t samples;

  bool operator==(const SequenceLengths&) const = default;
};

/// Lengths as the published program computes them, in double and with its rounding: 9.28 s has 216
/// sync tokens. Below 0.64 s there is no segment, and `sync` is 0 or less.
/// Source: hkchengrex/MMAudio, mmaudio/model/sequence_config.py.
SequenceLengths sequence_lengths(const SoundFormat& format, Seconds duration);

/// Lengths of a window of whole segments, in integers: it lasts 0.64 s + 0.32 s * (segments - 1).
/// @param segments  at least 1; 24 for the 8 s that the networks have learnt
SequenceLengths sequence_lengths_of(const SoundFormat& format, std::int64_t segments);

/// Duration of a window of whole segments.
Seconds duration_of(std::int64_t segments);

/// Which of `in` tokens stands at each of `out` places: floor((i + 0.5) * (in / out)) in float32,
/// as torch's interpolation "nearest-exact" rounds it. Exact arithmetic differs at 8 s.
std::vector<std::int64_t> nearest_exact(std::int64_t in, std::int64_t out);

}  // namespace qingyin::mmaudio
