#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "sync/stem_block.h"

namespace qingyin {

/// What becomes of the clip's own sound under the effects.
enum class OriginalSound { kKeep, kDuck, kReplace };

/// "keep", "duck", "replace". @throws Error kUsage
OriginalSound original_sound_named(std::string_view name);

/// Puts the clip's own sound beside the effects as one more stem, the last one. Ducking turns it
/// down by 12 dB where the effects sound (above -50 dBFS): down in 20 ms before them, up again in
/// 300 ms after them. Streaming; what comes out is up to `kLookAhead` samples behind.
class OriginalMixer {
 public:
  static constexpr std::int64_t kLookAhead = kOutputRateHz / 50;

  /// @param ducking_stems  indices of the effect stems that turn it down (a bed that never ends
  ///                       should not); used by kDuck only
  OriginalMixer(OriginalSound mode, std::vector<std::size_t> ducking_stems);
  ~OriginalMixer();

  /// @param original  [length, 2]; ignored by kReplace
  /// @return          effects and, but for kReplace, the original
  StemBlock push(StemBlock effects, std::span<const float> original);
  /// What is still held back. In all as many samples came out as went in.
  StemBlock finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qingyin
