#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "audio_gen/mmaudio/mmaudio_networks.h"
#include "audio_gen/mmaudio/window_plan.h"
#include "core/progress.h"

namespace qingyin::mmaudio {

/// The initial noise of latents [first, first + count), of C numbers each: [count, C].
using NoiseSource = std::function<std::vector<float>(std::int64_t first, std::int64_t count)>;

/// Noise that depends on seed and place alone, so that neighbouring windows see the same where they
/// overlap.
NoiseSource noise_of_seed(std::uint64_t seed, std::int64_t channels);

/// Noise from the tensor "noise" of a safetensors file, [N, C] or [1, N, C] float32.
/// @throws Error  kModelMissing, kBadCheckpoint; kUsage if it has another shape or is too short for
///                the `latents` that are wanted
NoiseSource noise_of_file(const std::string& path, std::int64_t latents, std::int64_t channels);

/// Samples windows one after another into one track of latents without seams: after every step of
/// the sampler, what a window has in the overlap is blended with what the window before it had
/// there after the same step. (Bar-Tal et al., "MultiDiffusion", 2023, average all windows at every
/// step; here a window follows the finished one before it, so that memory does not grow with the
/// number of windows.)
class LatentTrack {
 public:
  LatentTrack(Networks& networks, NoiseSource noise, SampleSettings settings)
      : networks_(networks), noise_(std::move(noise)), settings_(settings) {}

  /// Adds a window. Its first latent lies in the window before it, and not before `first()`.
  /// @param join_before  from the window before it to this one; ignored for the first
  /// @param after        this window's overlap with the next one, in latents from its end; 0: none
  void add(const Window& window, const WindowConditions& conditions, const Join& join_before,
           std::int64_t after, const Progress& progress);

  std::int64_t first() const { return first_; }
  std::int64_t end() const;
  /// Finished latents from `first` on, [count, C].
  std::span<const float> latents(std::int64_t first, std::int64_t count) const;
  /// Forgets what lies before a latent.
  void drop_before(std::int64_t latent);

 private:
  Networks& networks_;
  NoiseSource noise_;
  SampleSettings settings_;
  std::vector<float> track_;  // [end - first, C]
  std::int64_t first_ = 0;
  std::vector<float> trace_;  // [steps, overlap, C] of the last window's end
  std::int64_t trace_first_ = 0, trace_count_ = 0;
};

}  // namespace qingyin::mmaudio
