#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "video_gen/guidance.h"
#include "video_gen/pipeline_denoiser.h"
#include "video_gen/pipeline_parts.h"

namespace qingyin {

/// One run of a checkpoint, from text to frames, with every choice made.
struct ClipRun {
  const CheckpointFolder& folder;
  CogConfigs configs;
  ClipPlan plan;
  TextWish text;
  at::Tensor given;  // uint8 [B, 3, F, H, W], the picture or the clip; undefined from text
  SamplerSteps steps;
  GuidanceCurve curve = GuidanceCurve::kConstant;
  double guidance = 6;  // used if there are negative texts
  PictureLatents picture_latents = PictureLatents::kOfModel;
  StoredTable stored_table = StoredTable::kUsed;
  std::vector<std::int64_t> skipped_steps = {};  // `planned_skips`
  std::vector<LoraWish> loras;
  at::ScalarType dtype = at::kFloat;
  TextWeights text_weights = TextWeights::kConverted;
  VideoWeights weights = VideoWeights::kFull;  // the transformer's
  bool streams_transformer = false;
  std::int64_t preview_every = 0;                      // steps; 0: none
  std::optional<TileGrid> encoder_grid, decoder_grid;  // none: whole pictures
};

/// One step that was done.
struct DoneStep {
  std::size_t index;
  std::int64_t timestep;
  double guidance;        // its weight; 1 without guidance
  at::Tensor prediction;  // v, guided, float32
  at::Tensor latents;     // at the step's end
};

/// Told of a run's results as they come; what it throws ends the run.
class RunWatcher {
 public:
  virtual ~RunWatcher() = default;
  virtual void on_text(const TextConditions&) {}
  virtual void on_start(const StartLatents&) {}
  virtual void on_notes(const DenoiserNotes&) {}
  virtual void on_step(const DoneStep&) {}
  /// @param strip  uint8 [H, W, 3] (`preview_strip`)
  virtual void on_preview(const at::Tensor& /*strip*/) {}
  /// @param values  [1, 3, F, H, W] around [-1, 1], a part of a clip (`CogVae::decode_parts`)
  virtual void on_frames(std::int64_t clip, const at::Tensor& values, const VideoPlace& place) = 0;
};

/// Text, given pictures, steps, decoding: each loads its network and lets it go.
/// @throws Error  kModelMissing, kBadCheckpoint; kInvalidInput where sizes do not fit; kInternal
///                with reason "nan" if the first answer of the transformer is not finite
void run_clip(const ClipRun& run, NoiseSource& noise, RunWatcher& watcher);

}  // namespace qingyin
