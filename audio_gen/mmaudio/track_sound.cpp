#include "audio_gen/mmaudio/track_sound.h"

#include <algorithm>
#include <utility>

#include "audio_gen/mmaudio/window_plan.h"

namespace qingyin::mmaudio {
namespace {

constexpr int kOutputHz = 48000;
/// Latents that neighbouring pieces of the mel decoder share.
constexpr std::int64_t kSharedLatents = 64;
/// Frames that are vocoded at a time in a long track.
constexpr std::int64_t kFramesAtOnce = 256;

}  // namespace

TrackSound::TrackSound(Networks& networks, Latents latents, std::optional<std::int64_t> total)
    : networks_(networks),
      latents_(std::move(latents)),
      total_(total),
      resampler_(networks.config().sound.sample_rate_hz, kOutputHz) {}

std::vector<float> TrackSound::next() {
  while (!is_over_) {
    const std::int64_t window =
        sequence_lengths_of(networks_.config().sound, kWindowSegments).latents;
    const bool is_short = total_ && *total_ <= window;
    const std::int64_t wanted = is_short ? *total_ * kMelFramesPerLatent : vocoded_ + kFramesAtOnce;
    while (!is_decoded() && decoded_ < wanted + kContextFrames) decode_more();
    const std::int64_t end = is_decoded() ? std::min(wanted, decoded_) : wanted;
    std::vector<float> sound = resampler_.push(vocode(vocoded_, end));
    vocoded_ = end;
    if (is_decoded() && vocoded_ == decoded_) {
      const auto rest = resampler_.finish();
      sound.insert(sound.end(), rest.begin(), rest.end());
      is_over_ = true;
    }
    if (!sound.empty()) return sound;
  }
  return {};
}

void TrackSound::decode_more() {
  const std::int64_t bands = networks_.config().sound.bands;
  const std::int64_t window =
      sequence_lengths_of(networks_.config().sound, kWindowSegments).latents;
  const std::int64_t done = decoded_ / kMelFramesPerLatent;
  const std::int64_t first = done == 0 ? 0 : done - kSharedLatents;
  const std::int64_t count = total_ ? std::min(window, *total_ - first) : window;
  const auto mel = networks_.to_mel(latents_(first, count));
  const std::int64_t begin = first * kMelFramesPerLatent, shared = decoded_ - begin;
  for (std::int64_t f = 0; f < shared; ++f) {
    const float weight = (static_cast<float>(f) + 0.5F) / static_cast<float>(shared);
    for (std::int64_t b = 0; b < bands; ++b) {
      float& old = mel_[static_cast<std::size_t>((begin + f - mel_first_) * bands + b)];
      old += weight * (mel[static_cast<std::size_t>(f * bands + b)] - old);
    }
  }
  mel_.insert(mel_.end(), mel.begin() + shared * bands, mel.end());
  decoded_ = begin + std::ssize(mel) / bands;
}

std::vector<float> TrackSound::vocode(std::int64_t from, std::int64_t to) {
  const std::int64_t bands = networks_.config().sound.bands, hop = networks_.config().sound.hop;
  const std::int64_t begin = std::max<std::int64_t>(0, from - kContextFrames);
  const std::int64_t end = std::min(decoded_, to + kContextFrames);
  const auto frames =
      std::span(mel_).subspan(static_cast<std::size_t>((begin - mel_first_) * bands),
                              static_cast<std::size_t>((end - begin) * bands));
  auto sound = networks_.to_samples(frames);
  sound.erase(sound.begin() + (to - begin) * hop, sound.end());
  sound.erase(sound.begin(), sound.begin() + (from - begin) * hop);
  // What the next piece looks back at, and what the next spectrogram is blended with, stays.
  const std::int64_t keep =
      std::min(to - kContextFrames, decoded_ - kMelFramesPerLatent * kSharedLatents);
  const std::int64_t gone = std::max<std::int64_t>(0, keep - mel_first_);
  mel_.erase(mel_.begin(), mel_.begin() + gone * bands);
  mel_first_ += gone;
  return sound;
}

}  // namespace qingyin::mmaudio
