#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

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
