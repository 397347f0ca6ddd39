#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "audio_gen/bundled/latent_codec.h"

namespace qingyin::training {

/// A small classifier of sounds, trained on the sound bank alone: the judge of generated sounds.
class Judge {
 public:
  struct Settings {
    std::uint64_t seed;
    std::int64_t sounds;
    std::int64_t steps;
    int threads;
  };

  /// Renders the sounds and trains.
  Judge(const bundled::LatentCodec& codec, const Settings& settings);
  ~Judge();

  /// Share of the sounds (1.28 s each, nominal level) that are taken for that class.
  double accuracy(const std::vector<std::vector<float>>& sounds, int class_id) const;

 private:
  struct Network;
  const bundled::LatentCodec& codec_;
  std::unique_ptr<Network> network_;
};

}  // namespace qingyin::training
