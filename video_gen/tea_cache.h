#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "video_gen/transformer.h"

namespace qingyin {

// TeaCache (Liu et al., "Timestep embedding tells", 2024; ali-vilab/TeaCache,
// TeaCache4CogVideoX1.5): steps whose time embedding changed little since the last computed one
// reuse what its blocks added. The embedding depends on the time alone, so the steps to skip are
// known before the run.

/// The published polynomial that makes a change of the embedding into a change of the output;
/// highest power first.
using TeaCoefficients = std::vector<double>;

/// The coefficients of the published model with that shape.
/// @throws Error kUsage if there are none: no model of that shape was published
TeaCoefficients tea_coefficients(const CogTransformerConfig& config);

/// mean|e_i - e_(i-1)| / mean|e_(i-1)| for every step but the first, from the step's embeddings.
std::vector<double> embedding_changes(const CogTransformer& transformer,
                                      const std::vector<std::int64_t>& timesteps);

/// Which steps reuse the last residual. The first and the last step never do.
/// @param changes    one per step but the first
/// @param threshold  change of the output that may add up before a step is computed again; the
///                   published speeds are for 0.1 to 0.3; 0 skips nothing
std::vector<bool> steps_to_skip(const std::vector<double>& changes,
                                const TeaCoefficients& coefficients, double threshold);

}  // namespace qingyin
