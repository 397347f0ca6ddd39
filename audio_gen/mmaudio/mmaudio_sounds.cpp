#include "audio_gen/mmaudio/mmaudio_sounds.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "audio_gen/audio_generator.h"
#include "core/dsp/resample.h"

namespace qingyin::mmaudio {
namespace {

constexpr int kOutputHz = 48000;
constexpr std::size_t kLevelSpan = kOutputHz / 20;  // 50 ms
constexpr std::size_t kMeasured = 2 * kOutputHz;    // of a sound that goes on
constexpr std::size_t kFadeOut = kOutputHz / 50;    // at the end of an event

double loudest_rms(std::span<const float> mono) {
  double best = 0, sum = 0;
  for (std::size_t i = 0; i < mono.size(); ++i) {
    sum += static_cast<double>(mono[i]) * mono[i];
    if (i >= kLevelSpan) sum -= static_cast<double>(mono[i - kLevelSpan]) * mono[i - kLevelSpan];
    best = std::max(best, sum);
  }
  return std::sqrt(best / kLevelSpan);
}

/// Brings the loudest 50 ms to a level; silence stays silence.
float gain_to(double level_db, std::span<const float> mono) {
  const double now = loudest_rms(mono);
  return now > 0 ? static_cast<float>(std::pow(10, level_db / 20) / now) : 0;
}

}  // namespace

void Workshop::make_room_for_flow() {
  if (keeps_loaded) return;
  networks.release(Stage::kVae);
  networks.release(Stage::kVocoder);
}

void Workshop::make_room_for_sound() {
  if (!keeps_loaded) networks.release(Stage::kFlow);
}

WindowConditions Workshop::conditions_of_words(const Window& window, std::span<const float> text,
                                               std::span<const float> negative) {
  return networks.prepare_unseen(text, negative,
                                 sequence_lengths_of(networks.config().sound, window.segments));
}

EventSound Workshop::sound_of_event(std::span<const float> log_mel, const EventCut& cut,
                                    double intensity) {
  const SoundFormat& format = networks.config().sound;
  const auto frames = std::ssize(log_mel) / format.bands;
  const std::int64_t begin = std::max<std::int64_t>(0, cut.begin - kContextFrames);
  const std::int64_t end = std::min(frames, cut.end + kContextFrames);
  auto raw =
      networks.to_samples(log_mel.subspan(static_cast<std::size_t>(begin * format.bands),
                                          static_cast<std::size_t>((end - begin) * format.bands)));
  raw.erase(raw.begin() + (cut.end - begin) * format.hop, raw.end());
  raw.erase(raw.begin(), raw.begin() + (cut.begin - begin) * format.hop);
  EventSound sound;
  sound.audio = resample({std::move(raw), format.sample_rate_hz, 1}, kOutputHz);
  auto& mono = sound.audio.samples;
  const float gain = gain_to(level_dbfs(intensity), mono);
  for (float& x : mono) x *= gain;
  const std::size_t fade = std::min(kFadeOut, mono.size());
  for (std::size_t i = 0; i < fade; ++i)
    mono[mono.size() - 1 - i] *= static_cast<float>(i) / static_cast<float>(fade);
  sound.lead =
      Seconds(static_cast<double>((cut.attack - cut.begin) * format.hop) / format.sample_rate_hz);
  return sound;
}

FinishedSound::FinishedSound(std::shared_ptr<Workshop> workshop, std::vector<float> latents)
    : workshop_(std::move(workshop)),
      latents_(std::move(latents)),
      sound_(
          workshop_->networks,
          [this](std::int64_t first, std::int64_t count) {
            const std::int64_t channels = workshop_->networks.config().sound.latents;
            const auto begin = latents_.begin() + first * channels;
            return std::vector<float>(begin, begin + count * channels);
          },
          std::ssize(latents_) / workshop_->networks.config().sound.latents) {}

void FinishedSound::read(std::span<float> mono) {
  std::size_t done = 0;
  while (done < mono.size()) {
    if (taken_ == ready_.size()) {
      const std::lock_guard lock(workshop_->mutex);
      workshop_->make_room_for_sound();
      ready_ = sound_.next();
      taken_ = 0;
      if (ready_.empty()) break;
    }
    const std::size_t count = std::min(mono.size() - done, ready_.size() - taken_);
    std::copy_n(ready_.begin() + static_cast<std::ptrdiff_t>(taken_), count,
                mono.begin() + static_cast<std::ptrdiff_t>(done));
    done += count;
    taken_ += count;
  }
  std::ranges::fill(mono.subspan(done), 0.0F);
}

EndlessSound::EndlessSound(std::shared_ptr<Workshop> workshop, std::vector<float> text,
                           std::vector<float> negative, std::uint64_t seed,
                           const SampleSettings& settings)
    : workshop_(std::move(workshop)),
      text_(std::move(text)),
      negative_(std::move(negative)),
      track_(workshop_->networks, noise_of_seed(seed, workshop_->networks.config().sound.latents),
             settings),
      sound_(
          workshop_->networks,
          [this](std::int64_t first, std::int64_t count) { return latents(first, count); },
          std::nullopt) {}

std::vector<float> EndlessSound::latents(std::int64_t first, std::int64_t count) {
  const SoundFormat& format = workshop_->networks.config().sound;
  workshop_->make_room_for_flow();
  // What the next window will change is not finished.
  const auto finished = [&] { return endless_window(format, windows_).first_latent; };
  while (windows_ == 0 || finished() < first + count) {
    const Window window = endless_window(format, windows_);
    const Join before = windows_ == 0 ? Join{} : endless_join(format, windows_ - 1);
    const std::int64_t overlap =
        window.end_latent() - endless_window(format, windows_ + 1).first_latent;
    track_.add(window, workshop_->conditions_of_words(window, text_, negative_), before, overlap,
               {});
    ++windows_;
  }
  const auto wanted = track_.latents(first, count);
  std::vector<float> made(wanted.begin(), wanted.end());
  track_.drop_before(first);
  workshop_->make_room_for_sound();
  return made;
}

void EndlessSound::set_level() {
  while (ready_.size() < kMeasured) {
    const auto next = sound_.next();
    ready_.insert(ready_.end(), next.begin(), next.end());
  }
  gain_ = gain_to(level_dbfs(0.5), std::span(ready_).first(kMeasured));
  has_level_ = true;
}

void EndlessSound::read(std::span<float> mono) {
  const std::lock_guard lock(workshop_->mutex);
  if (!has_level_) set_level();
  for (float& sample : mono) {
    if (taken_ == ready_.size()) {
      ready_ = sound_.next();
      taken_ = 0;
    }
    sample = gain_ * ready_[taken_++];
  }
}

}  // namespace qingyin::mmaudio
