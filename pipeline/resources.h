#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "core/time.h"

namespace qingyin {

/// Largest resident memory of this process so far, in bytes.
std::int64_t peak_memory_bytes();

/// Free space of the file system that holds `folder` (or its nearest existing parent), in bytes;
/// negative if it cannot be told.
std::int64_t free_disk_bytes(const std::filesystem::path& folder);

/// Throws unless 1.2 times `bytes` and 512 MB are free there. @throws Error kIo, reason "disk_full"
void require_disk(const std::filesystem::path& folder, std::int64_t bytes);

/// Wall time of each stage, in the order in which the stages began; a stage entered again adds up.
class Stopwatch {
 public:
  using Timings = std::vector<std::pair<std::string, Seconds>>;

  /// Ends the running stage and begins another one.
  void begin(const std::string& stage);
  void end();
  const Timings& timings() const { return timings_; }

 private:
  std::chrono::steady_clock::time_point begin_;
  std::string stage_;  // empty: none runs
  Timings timings_;
};

}  // namespace qingyin
