#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/mmaudio_folder.h"
#include "core/progress.h"

namespace qingyin::cli {

/// What is measured: the stages of one clip, which is one window.
struct BenchRequest {
  std::string engine;
  double seconds = 8;
  int steps = 25;
  int threads = 1;
  std::string dtype = "float32";
  std::filesystem::path vocabulary = {};  // for the tower that reads words, with random weights
  std::vector<std::string> stages = {};   // by name; empty: all
  bool is_full = false;                   // false: a part of each stage is run, and its time scaled
};

/// A stage with its networks loaded; loading is not counted in the time.
struct BenchStage {
  std::string name;
  double seconds;           // of the whole stage
  double cpu_seconds;       // the same of all threads together
  double gflop;             // of matrix products and convolutions
  std::int64_t peak_bytes;  // resident memory of the process, its largest while the stage ran
  std::string measured;     // "4 of 64 pictures"
};

/// @param files  none: random weights; the tower that reads words is then left out where the
///               request names no vocabulary
/// @throws Error  kCancelled; what loading throws
std::vector<BenchStage> bench_mmaudio(
    const BenchRequest& request,
    const std::optional<std::map<std::string, std::filesystem::path>>& files,
    const Progress& progress);

}  // namespace qingyin::cli
