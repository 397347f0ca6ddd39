#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "training/detector_data.h"
#include "training/trainer.h"
#include "tuning/own_data.h"

namespace qingyin::tuning {

struct DetectorTuning {
  std::filesystem::path weights;  // folder of the bundled weights
  std::int64_t rank = 8;
  std::int64_t own = 6, simulated = 10;  // items of one step: of the user's, and rehearsed
  std::int64_t films = 160;              // that are shot for the rehearsal
  training::Rates rates{.peak = 5e-4, .warm_up = 20, .decay_from = 0.5, .average = 0.99};
};

/// Stretches of the videos' motion and the onsets that are heard in them. A stretch ends at a cut.
/// @param folder  that the videos' names start from
/// @throws Error  kInvalidInput if a video cannot be decoded; kCancelled
std::vector<training::DetectorExamples> watch(const std::filesystem::path& folder,
                                              const OwnVideo& video, std::int64_t steps,
                                              int threads, const Progress& progress);

/// Low-rank changes of the bundled detector network, learnt from videos with sound: where something
/// is heard to begin, it should be seen. What is not heard (kinds that no label names, places, what
/// lasts) is kept by rehearsal on simulated films, and so is the rest of what it knows.
/// @param examples  as `watch` gives them
/// @param is_over   set where the progress said stop; what was learnt is given back all the same
/// @return          the adapter's tensors of part "detector"
TensorMap tune_detector(const DetectorTuning& settings,
                        std::span<const training::DetectorExamples> examples,
                        const training::RunOptions& options, bool& is_over);

}  // namespace qingyin::tuning
