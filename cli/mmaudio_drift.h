#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/mmaudio_bench.h"
#include "core/progress.h"

namespace qingyin::cli {

/// How far a network's rows in bfloat16 are from those in float32.
struct RowDrift {
  std::string name;  // "clip", "synchformer", "text"
  std::int64_t rows;
  double least_cosine, mean_cosine;  // of a row to its twin
  /// The same after float32's mean row was taken off both: of what tells the rows apart.
  double least_telling_cosine, mean_telling_cosine;
  double neighbours_cosine;  // mean, of float32's rows to the next one
};

/// How far a decoded log-mel spectrogram is from float32's, from the same noise.
struct MelDrift {
  std::string name;   // what was changed
  double l1;          // mean absolute difference of natural logarithms; 0.115 is 1 dB
  double of_spread;   // the same over the mean absolute deviation of float32's spectrogram
  double of_latents;  // root mean square of the latents' difference over that of float32's
};

struct MmaudioDrift {
  std::vector<RowDrift> rows;
  std::vector<MelDrift> mels;
};

/// Runs a clip's first window through every network in float32 and in bfloat16, and the sound of
/// another seed for comparison. `stages`, `dtype` and `is_full` of the request are not looked at.
/// @param model   without files: random weights; noise then stands for words where the request
/// names no
///                vocabulary
/// @throws Error  kCancelled; as open_frames; what loading throws
MmaudioDrift measure_drift(const BenchRequest& request, const MmaudioModel& model,
                           const std::filesystem::path& clip, const Progress& progress);

}  // namespace qingyin::cli
