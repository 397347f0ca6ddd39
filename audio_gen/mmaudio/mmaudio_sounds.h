#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "audio_gen/mmaudio/event_cut.h"
#include "audio_gen/mmaudio/latent_track.h"
#include "audio_gen/mmaudio/mmaudio_engine.h"
#include "audio_gen/mmaudio/mmaudio_networks.h"
#include "audio_gen/mmaudio/track_sound.h"
#include "core/audio_buffer.h"

namespace qingyin::mmaudio {

/// The networks, one user at a time: hold `mutex` for every call.
struct Workshop {
  explicit Workshop(const EngineOptions& options)
      : networks(options.model, options.files, options.networks),
        keeps_loaded(options.keeps_loaded) {}

  std::mutex mutex;
  Networks networks;
  const bool keeps_loaded;

  /// Before the flow network is used, and before mel decoder and vocoder are: frees the others
  /// where they must not be in memory together.
  void make_room_for_flow();
  void make_room_for_sound();

  /// Of a window of which nothing is seen.
  WindowConditions conditions_of_words(const Window& window, std::span<const float> text,
                                       std::span<const float> negative);
  /// A piece of a spectrogram as the sound of an event, at the level that its intensity asks for.
  EventSound sound_of_event(std::span<const float> log_mel, const EventCut& cut, double intensity);
};

/// A finished track of latents, made into samples while it is read; silence after its end.
class FinishedSound : public SoundStream {
 public:
  FinishedSound(std::shared_ptr<Workshop> workshop, std::vector<float> latents);
  void read(std::span<float> mono) override;

 private:
  std::shared_ptr<Workshop> workshop_;
  std::vector<float> latents_;
  TrackSound sound_;
  std::vector<float> ready_;
  std::size_t taken_ = 0;
};

/// A sound from words that never ends: windows are added while it is read. Its loudest 50 ms of the
/// first 2 s stand at the level of intensity 0.5.
class EndlessSound : public SoundStream {
 public:
  EndlessSound(std::shared_ptr<Workshop> workshop, std::vector<float> text,
               std::vector<float> negative, std::uint64_t seed, const SampleSettings& settings);
  void read(std::span<float> mono) override;

 private:
  std::vector<float> latents(std::int64_t first, std::int64_t count);
  void set_level();

  std::shared_ptr<Workshop> workshop_;
  std::vector<float> text_, negative_;
  LatentTrack track_;
  TrackSound sound_;
  std::int64_t windows_ = 0;
  std::vector<float> ready_;
  std::size_t taken_ = 0;
  float gain_ = 0;
  bool has_level_ = false;
};

}  // namespace qingyin::mmaudio
