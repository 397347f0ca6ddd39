#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dsp/loudness.h"
#include "sync/stem_block.h"

namespace qingyin {

/// How loud the mix should be.
struct LoudnessTarget {
  std::string name;                       // "ebu-r128"
  std::optional<double> integrated_lufs;  // none: the level stays
  double ceiling_dbtp;
};

/// `none`, `ebu-r128`, `atsc-a85`, `netflix`, `youtube`, `spotify`, `podcast`.
const std::vector<LoudnessTarget>& loudness_targets();

/// @throws Error kUsage naming all targets
LoudnessTarget loudness_target(std::string_view name);

struct MasteringReport {
  LoudnessFigures before;  // of the sum of the stems
  LoudnessFigures after;   // of the mix that was handed out
  double gain_db = 0;      // one gain for all stems
  double limiter_db = 0;   // largest reduction by the limiter, at most 0
  bool is_target_met =
      false;         // after.integrated_lufs is within 0.5 LU; false where there is no target
  std::string note;  // why the target was not met; empty: nothing to say
};

/// Brings the mix to its target: one gain and one limiter curve, the same for every stem, so that
/// the stems go on summing to the mix. Memory is flat: without a loudness target the sound streams
/// through; with one it is measured and spooled first.
class Mastering {
 public:
  /// Gets the finished sound in order: the mix [length, 2] and the stems that sum to it.
  using Sink = std::function<void(std::span<const float> mix, const StemBlock& stems)>;

  /// @param spool_folder  where a temporary file of all stems in float may stand
  Mastering(LoudnessTarget target, const std::filesystem::path& spool_folder, Sink sink);
  ~Mastering();

  /// The next samples; every block has the same number of stems. @throws Error kIo on a full disk
  void add(StemBlock block);
  /// Hands out what is left: in all exactly as many samples as were added. @throws Error kIo
  MasteringReport finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qingyin
