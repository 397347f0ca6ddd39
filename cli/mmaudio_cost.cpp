#include "cli/mmaudio_cost.h"

#include <algorithm>

#include "audio_gen/mmaudio/cost.h"
#include "audio_gen/mmaudio/window_plan.h"

namespace qingyin::cli {
namespace {

// 10^9 operations a second and thread; the sound's networks are float32 always.
constexpr double kSpeed = 170, kSpeedOfHalf = 320, kSpeedOfSound = 250;
constexpr Seconds kLoading(10);

/// A transformer's layer over T tokens: products with its weights, and of its attention.
double gflop_of_layer(double tokens, double width, double weights_per_width2, double attended) {
  return 1e-9 * (2 * tokens * weights_per_width2 * width * width + 4 * tokens * attended * width);
}

/// Mel decoder and vocoder.
double gflop_of_sound(const mmaudio::ModelConfig& sizes, std::int64_t latents) {
  return mmaudio::gflop_of_decoder(sizes.vae, latents) +
         mmaudio::gflop_of_vocoder(sizes.vocoder, latents * mmaudio::kMelFramesPerLatent);
}

}  // namespace

double gflop_of_picture(const ClipConfig& clip) {
  const auto places = static_cast<double>(clip.grid * clip.grid);
  const auto width = static_cast<double>(clip.vision.width);
  const double layer =
      gflop_of_layer(places + 1, width, 4 + 2.0 * clip.vision.mlp_ratio, places + 1);
  const double patches = 1e-9 * 2 * places * 3 * clip.patch * clip.patch * width;
  return clip.vision.layers * layer + patches;
}

double gflop_of_text(const ClipConfig& clip) {
  const auto tokens = static_cast<double>(clip.context);
  return clip.text.layers * gflop_of_layer(tokens, static_cast<double>(clip.text.width),
                                           4 + 2.0 * clip.text.mlp_ratio, tokens);
}

double gflop_of_segment(const SynchformerConfig& sync) {
  const auto tokens = static_cast<double>(sync.times() * sync.places());
  const auto width = static_cast<double>(sync.width);
  // Attention over time, then over space.
  const double layer = gflop_of_layer(tokens, width, 8 + 2.0 * sync.mlp_ratio,
                                      static_cast<double>(sync.times() + sync.places()));
  const double patches = 1e-9 * 2 * tokens * 3 * sync.patch * sync.patch * sync.tubelet * width;
  return sync.layers * layer + patches;
}

Seconds estimate_mmaudio(const MmaudioModel& model, const MmaudioWork& work) {
  const mmaudio::ModelConfig& sizes = model.sound;
  // Without guidance one branch would do; the default has two.
  const auto sampling = [&](const mmaudio::SequenceLengths& lengths) {
    return 2 * static_cast<double>(work.steps) * mmaudio::gflop_of_evaluation(sizes.flow, lengths);
  };
  double networks = 0, sound = 0;
  if (work.duration > Seconds(0)) {
    const auto plan = mmaudio::plan_windows(sizes.sound, work.duration, {});
    for (const auto& window : plan.windows)
      networks += sampling(mmaudio::sequence_lengths_of(sizes.sound, window.segments));
    const auto& last = plan.windows.back();
    if (work.sees)
      networks +=
          static_cast<double>(last.first_picture + last.pictures) * gflop_of_picture(model.clip) +
          static_cast<double>(last.first_segment + last.segments) *
              gflop_of_segment(model.synchformer);
    sound += gflop_of_sound(sizes, plan.latents());
  }
  const auto of_event = mmaudio::sequence_lengths_of(sizes.sound, mmaudio::kWindowSegments);
  networks += static_cast<double>(work.events) * sampling(of_event);
  sound += static_cast<double>(work.events) * gflop_of_sound(sizes, of_event.latents);
  const double seconds = networks / (work.is_half ? kSpeedOfHalf : kSpeed) + sound / kSpeedOfSound;
  return kLoading + Seconds(seconds / std::max(1, work.threads));
}

}  // namespace qingyin::cli
