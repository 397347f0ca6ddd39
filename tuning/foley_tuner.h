#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "models/adapter/adapter.h"
#include "training/foley_data.h"
#include "training/trainer.h"

namespace qingyin::tuning {

/// A sound of the user's own, ready for the latent: mono 48 kHz, silence of
/// `bundled::kLeadSamples`, then the attack; a texture begins anywhere in itself.
struct OwnSound {
  std::size_t class_index = 0;  // into the classes
  int material_id = 0;
  double size = 0.5, intensity = 0.5;
  double duration_s = 0;           // of what lasts, from the onset
  std::vector<float> level_curve;  // of what lasts: amplitude in [0, 1] every 10 ms; empty: steady
  std::vector<float> samples;
};

struct FoleyTuning {
  std::filesystem::path weights;      // folder of the bundled weights
  std::vector<AdapterClass> classes;  // of a new one without `like`, the nearest is found
  std::int64_t rank = 16;
  std::int64_t batch = 24;
  double drop_share = 0.1;  // of items whose class, material, size and intensity are withheld
  training::Rates rates{.peak = 2e-3, .warm_up = 30, .decay_from = 0.5, .average = 0.99};
};

/// Sounds as windows of latents at the nominal level, `recipe.class_id + 1` being the row in a
/// class table that new classes were added to.
std::vector<training::FoleyItem> latents_of(const std::filesystem::path& weights,
                                            const std::vector<AdapterClass>& classes,
                                            std::span<const OwnSound> sounds, int threads);

/// Low-rank changes of the bundled flow transformer for the classes, learnt from their sounds. As
/// the engine applies them to these classes alone, no other class is rehearsed.
class FoleyTuner {
 public:
  /// Loads the weights, brings the sounds into the latent, and finds what new classes are like:
  /// the bundled class under which the network foresees their sounds best.
  /// @throws Error kModelMissing, kBadCheckpoint; as `training::Trainer`
  FoleyTuner(const FoleyTuning& settings, std::span<const OwnSound> sounds,
             const training::RunOptions& options);
  ~FoleyTuner();

  /// With `like` filled in.
  const std::vector<AdapterClass>& classes() const { return settings_.classes; }
  /// SHA-256 of the foley weights.
  const std::string& base() const { return base_; }
  /// Seconds that a step takes, measured on two without learning from them.
  double seconds_per_step();

  /// Learns up to `options.steps`, going on from the folder's state if there is one.
  /// @return the adapter's tensors of part "foley"; none if the progress said stop before the end
  ///         and `keeps_partial` is false
  std::optional<TensorMap> run(std::int64_t steps, bool keeps_partial);

 private:
  struct Work;
  training::Losses losses(std::int64_t step);
  void find_likeness();
  void build();

  FoleyTuning settings_;
  training::RunOptions options_;
  std::string base_;
  std::vector<training::FoleyItem> items_;
  std::unique_ptr<Work> work_;
};

}  // namespace qingyin::tuning
