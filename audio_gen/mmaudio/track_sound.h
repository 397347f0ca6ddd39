#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "audio_gen/mmaudio/mmaudio_networks.h"
#include "core/dsp/resample.h"

namespace qingyin::mmaudio {

/// Frames that the vocoder has to see on both sides of what it makes: BigVGAN's layers reach about
/// 40 at 16 kHz (3 of the first convolution, 24 of the first stage of blocks with kernel 11,
/// dilations 1, 3, 5 and six activations, a quarter of that for the next, and so on) and 21 at 44.1
/// kHz.
inline constexpr std::int64_t kContextFrames = 48;

/// Turns a track of latents into samples at 48 kHz, piece by piece and without seams: spectrograms
/// of neighbouring pieces are blended before the vocoder, and the vocoder looks at some frames on
/// both sides of what it makes, more than its layers reach. A track of up to 8 s is made in one go.
class TrackSound {
 public:
  /// Latents [first, first + count) of the track, asked for in rising order; what lies before the
  /// first of a call is not asked for again.
  using Latents = std::function<std::vector<float>(std::int64_t first, std::int64_t count)>;

  /// @param total  latents of the track; none: it never ends
  TrackSound(Networks& networks, Latents latents, std::optional<std::int64_t> total);

  /// The next samples; empty after the end.
  std::vector<float> next();

 private:
  void decode_more();
  bool is_decoded() const { return total_ && decoded_ == *total_ * kMelFramesPerLatent; }
  std::vector<float> vocode(std::int64_t from, std::int64_t to);

  Networks& networks_;
  Latents latents_;
  std::optional<std::int64_t> total_;
  StreamResampler resampler_;
  std::vector<float> mel_;  // [F, M] from frame `mel_first_` on
  std::int64_t mel_first_ = 0;
  std::int64_t decoded_ = 0;  // end of `mel_`, frame
  std::int64_t vocoded_ = 0;  // frame
  bool is_over_ = false;
};

}  // namespace qingyin::mmaudio
