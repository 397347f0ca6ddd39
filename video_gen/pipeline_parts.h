#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/t5/t5_config.h"
#include "video_gen/checkpoint_folder.h"
#include "video_gen/noise_schedule.h"
#include "video_gen/noise_source.h"
#include "video_gen/positions.h"
#include "video_gen/sampler.h"
#include "video_gen/transformer_config.h"
#include "video_gen/vae.h"
#include "video_gen/vae_config.h"
#include "video_gen/video_settings.h"

namespace qingyin {

// Steps of the published pipelines (diffusers 0.42, pipelines/cogvideo/pipeline_cogvideox.py and
// its _image2video and _video2video). Shapes: B clips, N rows of text, F frames, f latent frames, C
// latent channels, H x W pixels, h x w latents.

/// The small files of a checkpoint.
struct CogConfigs {
  T5Config text;
  CogTransformerConfig transformer;
  CogVaeConfig vae;
  NoiseScheduleConfig schedule;
  SamplerKind sampler;

  bool is_from_picture() const { return transformer.in_channels > vae.latent_channels; }
};

/// @throws Error  kModelMissing, kBadCheckpoint; also where the parts do not fit one another
CogConfigs read_configs(const CheckpointFolder& folder);

/// Whether the networks are whole and fit their configs, and LoRAs the transformer. Only the heads
/// of the files are read, so that a run does not end after hours at a file that is cut off.
/// @throws Error  kModelMissing, kBadCheckpoint naming the file and what is wrong in it
void check_weights(const CheckpointFolder& folder, const CogConfigs& configs,
                   const std::vector<LoraWish>& loras);

/// The tensors whose names begin with a prefix, by the rest of their names.
TensorMap tensors_below(const TensorMap& tensors, const std::string& prefix);

/// The sizes of a run.
struct ClipPlan {
  VideoTask task = VideoTask::kFromText;
  std::int64_t clips = 1;                          // B
  std::int64_t frames = 0, height = 0, width = 0;  // pixels
  LatentSize latents;                              // with padding frames
  std::int64_t padding = 0;  // latent frames in front that are dropped before decoding (1.5)
};

/// @throws Error kInvalidInput if a size is no multiple of what the networks need
ClipPlan plan_clip(const CogConfigs& configs, VideoTask task, std::int64_t clips,
                   std::int64_t frames, std::int64_t height, std::int64_t width);

/// Pictures as one clip: uint8 [1, 3, F, H, W] over memory of its own.
/// @param pictures  all of the same size, at least one
at::Tensor clip_of(const std::vector<RgbPicture>& pictures);

/// Texts as the transformer sees them.
struct TextConditions {
  at::Tensor positive;           // [B, N, D]
  at::Tensor negative;           // the same; undefined without guidance
  std::vector<std::string> cut;  // what of the texts did not fit
};

struct TextWish {
  std::vector<std::string> prompts, negatives;  // B each; no negatives: no guidance
  std::int64_t rows = 0;                        // N
};

/// How the text encoder's weights are kept.
enum class TextWeights {
  kConverted,  // in the run's type, in memory
  kAsStored,   // in the file's type if that can be run, in the mapped file
};

/// Whether the stored text encoder can run as it is; float16 overflows.
bool has_mappable_text(const CheckpointFolder& folder);

/// Loads the text encoder, runs it once per different text and lets it go.
TextConditions encode_text(const CheckpointFolder& folder, const CogConfigs& configs,
                           const TextWish& wish, at::ScalarType dtype, TextWeights weights);

/// Loads one half of the VAE.
enum class VaeHalf { kEncoder, kDecoder };
CogVae load_vae(const CheckpointFolder& folder, const CogVaeConfig& config, VaeHalf half,
                at::ScalarType dtype);

/// A given picture or clip as latents, [B, f, C, h, w], scaled. The posterior is sampled, not taken
/// at its mean.
/// @param given  [B, 3, F, H, W], uint8
at::Tensor given_latents(const CogVae& vae, const at::Tensor& given, const ClipPlan& plan,
                         PictureLatents scaling, const std::optional<TileGrid>& grid,
                         NoiseSource& noise);

/// What the first step begins with.
struct StartLatents {
  at::Tensor latents;  // [B, f, C, h, w]
  at::Tensor picture;  // the same, a model's condition beside the latents; undefined: none
};

/// @param given  from `given_latents`; undefined from text
StartLatents start_latents(const ClipPlan& plan, const CogConfigs& configs, const Sampler& sampler,
                           const at::Tensor& given, NoiseSource& noise);

/// Decoded values as pixels: [0, 1] from around [-1, 1].
at::Tensor as_unit(const at::Tensor& decoded);

}  // namespace qingyin
