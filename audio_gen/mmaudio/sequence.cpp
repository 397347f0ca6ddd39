#include "audio_gen/mmaudio/sequence.h"

#include <algorithm>
#include <cmath>

namespace qingyin::mmaudio {
namespace {

std::int64_t floor_division(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

std::int64_t sync_tokens(std::int64_t frames) {
  return (floor_division(frames - kSegmentFrames, kSegmentStep) + 1) * kSegmentTokens;
}

std::int64_t frames_of(std::int64_t segments) {
  return kSegmentFrames + kSegmentStep * (segments - 1);
}

SequenceLengths lengths(const SoundFormat& format, std::int64_t latents, std::int64_t clip,
                        std::int64_t sync_frames) {
  return {.latents = latents,
          .clip = clip,
          .sync = sync_tokens(sync_frames),
          .samples = latents * format.hop * kMelFramesPerLatent};
}

}  // namespace

SoundFormat sound_16k() {
  return {.sample_rate_hz = 16000, .hop = 256, .bands = 80, .latents = 20, .is_log10 = true};
}

SoundFormat sound_44k() {
  return {.sample_rate_hz = 44100, .hop = 512, .bands = 128, .latents = 40};
}

SequenceLengths sequence_lengths(const SoundFormat& format, Seconds duration) {
  const double t = duration.count();
  const double latents = t * format.sample_rate_hz / static_cast<double>(format.hop) /
                         static_cast<double>(kMelFramesPerLatent);
  return lengths(format, static_cast<std::int64_t>(std::ceil(latents)),
                 static_cast<std::int64_t>(t * kClipRate),
                 static_cast<std::int64_t>(t * kSyncRate));
}

SequenceLengths sequence_lengths_of(const SoundFormat& format, std::int64_t segments) {
  const std::int64_t frames = frames_of(segments);
  const std::int64_t samples = frames * format.sample_rate_hz;  // times kSyncRate
  const std::int64_t per_latent = kSyncRate * format.hop * kMelFramesPerLatent;
  return lengths(format, (samples + per_latent - 1) / per_latent, frames * kClipRate / kSyncRate,
                 frames);
}

Seconds duration_of(std::int64_t segments) {
  return Seconds(static_cast<double>(frames_of(segments)) / kSyncRate);
}

std::vector<std::int64_t> nearest_exact(std::int64_t in, std::int64_t out) {
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  std::vector<std::int64_t> picks(static_cast<std::size_t>(out));
  for (std::size_t i = 0; i < picks.size(); ++i) {
    const float place = (static_cast<float>(i) + 0.5f) * scale;
    picks[i] = std::min(static_cast<std::int64_t>(std::floor(place)), in - 1);
  }
  return picks;
}

}  // namespace qingyin::mmaudio
