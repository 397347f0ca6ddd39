#pragma once

#include <cstdint>

#include "models/t5/t5_config.h"
#include "video_gen/memory_plan.h"
#include "video_gen/transformer_config.h"
#include "video_gen/vae_config.h"
#include "video_gen/vae_memory.h"

namespace qingyin {

/// What a run's memory depends on.
struct MemoryJob {
  T5Config text;
  CogTransformerConfig transformer;
  CogVaeConfig vae;
  std::int64_t latent_frames = 0;      // with the padding frame
  std::int64_t height = 0, width = 0;  // pixels
  std::int64_t text_rows = 0;
  std::int64_t batch = 2;           // 2: with guidance
  std::int64_t encoded_frames = 0;  // of a given picture or clip; 0: none
  std::int64_t steps = 50;
  std::int64_t element_bytes = 4;
  bool reuses_steps = false;       // TeaCache
  VaeExtent preview = {};          // latents that are decoded between steps; no frames: none
  bool has_int8_blocks = false;    // the transformer's (`VideoWeights`)
  bool has_mappable_text = false;  // stored in a type that it can run in: float32, bfloat16
};

/// Weights of the networks, in elements.
std::int64_t parameters_of(const T5Config& config);
std::int64_t parameters_of(const CogTransformerConfig& config);
std::int64_t block_parameters_of(const CogTransformerConfig& config);
/// Of those the linear maps of the norms, which are let go when all modulations are made.
std::int64_t modulation_parameters_of(const CogTransformerConfig& config);
/// And those that can be kept in 8 bits.
std::int64_t int8_parameters_of(const CogTransformerConfig& config);
std::int64_t encoder_parameters_of(const CogVaeConfig& config);
std::int64_t decoder_parameters_of(const CogVaeConfig& config);

/// Of text and video, for one clip.
std::int64_t tokens_of(const MemoryJob& job);

/// Ways to need less: what they cost is told in `MemoryPlan`.
struct MemoryWays {
  bool maps_text = false, streams_transformer = false, tiles_vae = false;
};

/// The job's memory if it is run in a given way.
MemoryPlan memory_of(const MemoryJob& job, const MemoryWays& ways);

/// The fastest plan that stays within `budget` bytes; 0: no limit.
/// @throws Error kDevice if none does, with the least that the job needs and what would lower it
MemoryPlan plan_memory(const MemoryJob& job, std::int64_t budget);

}  // namespace qingyin
