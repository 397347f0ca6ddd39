#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "training/sound_pool.h"

namespace qingyin::training {

/// What a judge hears in sounds, one entry per sound.
struct Hearing {
  std::vector<int> class_id, material_id;
  std::vector<double> intensity;  // in [0, 1], by the timbre alone
  at::Tensor embedding;           // [K, E]
};

/// A small listener trained on the sound bank alone: the judge of generated sounds. It hears
/// log-mel spectrograms at the nominal level, so it cannot tell intensity by loudness.
class Judge {
 public:
  struct Settings {
    std::uint64_t seed;
    std::int64_t sounds;
    std::int64_t steps;
    int threads;
    /// Makes sounds (seed, number, seconds) of one more class, whose id follows the vocabulary;
    /// null: none.
    TrainingSound (*extra)(std::uint64_t, std::int64_t, double) = nullptr;
  };

  /// Renders the sounds and trains.
  explicit Judge(const Settings& settings);
  ~Judge();

  /// @param sounds  1.28 s each, nominal level
  Hearing hear(const std::vector<std::vector<float>>& sounds) const;

 private:
  struct Network;
  std::unique_ptr<Network> network_;
};

}  // namespace qingyin::training
