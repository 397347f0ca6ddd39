#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "video_gen/checkpoint_folder.h"
#include "video_gen/transformer.h"
#include "video_gen/video_settings.h"

namespace qingyin {

/// The transformer of one run: its text, sizes and steps are fixed.
class Denoiser {
 public:
  virtual ~Denoiser() = default;
  /// @param step     from 0, in order
  /// @param latents  [B, f, C, h, w], with guidance those for the negative texts first
  /// @return         v, [B, f, C, h, w]
  virtual at::Tensor predict(std::size_t step, const at::Tensor& latents) = 0;
};

struct DenoiserWish {
  CogTransformerConfig config;
  at::ScalarType dtype = at::kFloat;
  at::Tensor text;  // [B, N, D]
  LatentSize size;
  StoredTable stored_table = StoredTable::kUsed;
  std::vector<std::int64_t> timesteps;
  std::vector<std::int64_t> skipped_steps = {};  // `planned_skips`
  std::vector<LoraWish> loras;
  VideoWeights weights = VideoWeights::kFull;
  bool streams_blocks = false;
};

/// What became of the LoRAs, a line each.
struct DenoiserNotes {
  std::vector<std::string> loras;
};

/// Loads the transformer of a checkpoint: whole, or with `streams_blocks` all but its blocks, which
/// are then paged in from the mapped file one by one in every step. In 8 bits blocks are read one
/// by one, too, so that they are never in memory in full; streamed, they are rounded whenever they
/// are read, and the answers are the same. Both ways what the norms do in each step is computed
/// once, so that the norms' weights, a fifth of all, are read once. LoRAs are added before the
/// rounding.
/// @throws Error  kModelMissing, kBadCheckpoint
std::unique_ptr<Denoiser> load_denoiser(const CheckpointFolder& folder, const DenoiserWish& wish,
                                        DenoiserNotes& notes);

/// Which steps a threshold would reuse (TeaCache), from the stored weights of the time embedding
/// alone, in float32 whatever the run's type is.
/// @param threshold  0: none
/// @throws Error     as `load_denoiser`; kUsage where TeaCache has no coefficients
std::vector<std::int64_t> planned_skips(const CheckpointFolder& folder,
                                        const CogTransformerConfig& config,
                                        const std::vector<std::int64_t>& timesteps,
                                        double threshold);

}  // namespace qingyin
