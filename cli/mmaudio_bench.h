#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audio_gen/mmaudio/mmaudio_networks.h"
#include "cli/mmaudio_folder.h"
#include "core/progress.h"
#include "understanding/visual_features.h"

namespace qingyin::cli {

/// What is measured: the stages of one clip, which is one window.
struct BenchRequest {
  std::string engine;
  double seconds = 8;
  int steps = 25;
  int threads = 1;
  std::string dtype = "float32";
  std::string weights = "full";           // "int8": the flow network's large ones
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

/// The networks of a bench, in float32 or bfloat16. The first loads them, the second when they are
/// needed.
MmaudioVisualEncoder bench_encoder(const BenchRequest& request, const MmaudioModel& model,
                                   MmaudioVisualParts parts, const std::string& dtype);
std::unique_ptr<mmaudio::Networks> bench_networks(const BenchRequest& request,
                                                  const MmaudioModel& model,
                                                  const std::string& dtype);

/// @param model  without files: random weights; the tower that reads words is then left out where
/// the
///               request names no vocabulary
/// @throws Error  kCancelled; what loading throws
std::vector<BenchStage> bench_mmaudio(const BenchRequest& request, const MmaudioModel& model,
                                      const Progress& progress);

}  // namespace qingyin::cli
