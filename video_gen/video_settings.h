#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "video_gen/preprocess.h"

namespace qingyin {

enum class VideoTask { kFromText, kFromPicture, kFromClip };

enum class VideoSampler {
  kOfModel,    // as the checkpoint's scheduler says
  kDdim,       // deterministic
  kDpm,        // draws noise in every step
  kDistilled,  // the four steps of a distilled 2b (TDM), by the checkpoint's sampler
};

/// How the strength of the guidance goes over the steps.
enum class VideoGuidance {
  kOfModel,  // constant with DDIM, the wave with DPM, as the published examples pair them
  kConstant,
  kWave,    // the reference's "dynamic" guidance, which swings from step to step
  kSmooth,  // the same formula as it was meant
};

/// Which time a step ends on, where the number of steps does not divide 1000.
enum class StepEnds {
  kExact,      // the next one of the list
  kReference,  // beside it, as in the reference
};

/// What a model that is conditioned on a picture gets of its latents. Three are in use; published
/// 1.5 checkpoints ask for the first.
enum class PictureLatents {
  kOfModel,    // divided by the scaling factor if the VAE's config says so, else multiplied
  kUnscaled,   // as the original sampler
  kMultiplied  // as the published trainer
};

/// What is done with the position table that 5b-I2V stores for its one size.
enum class StoredTable {
  kUsed,
  kIgnored,  // other sizes become possible, the picture changes almost nothing
};

enum class VideoPrecision {
  kFloat32,
  kBfloat16,  // half the memory; on most processors slower
};

/// How the transformer's weights are kept.
enum class VideoWeights {
  kFull,  // in the run's precision
  kInt8,  // those of its blocks in 8 bits: a quarter of float32's memory, a slightly other clip
};

struct LoraWish {
  std::filesystem::path file;
  double factor = 1;  // 1: as the file asks
};

/// How a clip is made. 0 means: what is usual for the model (`VideoGenerator::completed`).
struct VideoSettings {
  std::int64_t width = 0, height = 0;  // pixels
  std::int64_t frames = 0;
  std::int64_t steps = 0;
  double guidance = 6;    // at most 1: off, the negative prompt is not used
  double strength = 0.8;  // of a change to a given clip, above 0 to 1
  std::uint64_t seed = 0;
  VideoSampler sampler = VideoSampler::kOfModel;
  VideoGuidance guidance_curve = VideoGuidance::kOfModel;
  StepEnds step_ends = StepEnds::kExact;
  PictureLatents picture_latents = PictureLatents::kOfModel;
  StoredTable stored_table = StoredTable::kUsed;
  PictureFit picture_fit = PictureFit::kStretch;
  VideoPrecision precision = VideoPrecision::kFloat32;
  VideoWeights weights = VideoWeights::kFull;
  std::int64_t text_tokens = 0;  // rows of text; 1.5 was trained with 224, its config says 226
  double skip_threshold = 0;     // TeaCache: steps whose change stays below are reused; 0: none
  std::vector<LoraWish> loras = {};
  std::int64_t preview_every = 0;  // steps from one preview to the next; 0: none
  int threads = 0;                 // 0: as many as libtorch has
  std::int64_t memory_bytes = 0;   // what a run may take; 0: no limit
};

}  // namespace qingyin
