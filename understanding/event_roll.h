#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/adapter/adapter.h"
#include "understanding/motion_map.h"
#include "understanding/picture_kinds.h"

namespace qingyin {

/// What the detector network says about the time between two shown frames.
struct RollStep {
  double start_s = 0, end_s = 0;
  double onset = 0;                            // [0, 1], that something is heard to begin
  double onset_s = 0;                          // when, if so
  std::array<float, kOnsetKinds> kinds{};      // shares of what it is, sum 1
  double intensity = 0;                        // [0, 1]
  double x = 0, y = 0;                         // right and up, [-1, 1]
  std::array<float, kLastingKinds> lasting{};  // [0, 1] each, that it goes on
};

/// The detector network with its weights, behind plain vectors: torch stays in the source file.
/// Calls may overlap; each runs on one thread, so that no thread count changes a result.
class RollNetwork {
 public:
  /// @param adapters  those with nothing for the detector are passed over
  /// @throws Error    kModelMissing, kBadCheckpoint naming every wrong tensor or an adapter of
  /// other
  ///                  weights
  explicit RollNetwork(const std::filesystem::path& weights,
                       const std::vector<AdapterChoice>& adapters = {});
  ~RollNetwork();
  RollNetwork(const RollNetwork&) = delete;
  RollNetwork& operator=(const RollNetwork&) = delete;

  /// Of the weights' file.
  const std::string& sha256() const { return sha256_; }
  /// Of the adapters that changed it, with their strengths.
  const std::map<std::string, std::string>& adapters() const { return adapters_; }
  /// Maps before and after a map that can change what is said about it.
  std::size_t past_maps() const;
  std::size_t future_maps() const;

  /// Consecutive maps of one shot; one step for each.
  std::vector<RollStep> read(std::span<const MotionMap> maps) const;

 private:
  struct Module;
  std::unique_ptr<Module> module_;
  std::string sha256_;
  std::map<std::string, std::string> adapters_;
};

/// Reads a shot of any length block by block: the same steps as from all maps at once, to
/// rounding, with memory that does not grow.
class RollStream {
 public:
  /// @param network  must outlive the stream
  explicit RollStream(const RollNetwork& network) : network_(network) {}

  void add(const MotionMap& map);
  /// Ends the running shot; the next map begins another.
  void end_shot();
  /// What is settled and was not taken yet, in order of time.
  std::vector<RollStep> take();

 private:
  void read_block(std::size_t block, std::size_t future);

  const RollNetwork& network_;
  std::vector<MotionMap> maps_;  // of the past that is still seen, then those not yet settled
  std::size_t settled_ = 0;      // maps_[0 .. settled_) are the past
  std::vector<RollStep> steps_;
};

}  // namespace qingyin
