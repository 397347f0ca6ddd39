#include "video_gen/pipeline_parts.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/error.h"
#include "core/text.h"
#include "models/checkpoint/load_weights.h"
#include "models/t5/t5_encoder.h"
#include "models/tokenizer/t5_tokenizer.h"
#include "video_gen/lora.h"
#include "video_gen/transformer.h"

namespace qingyin {
namespace {

SamplerKind sampler_of(const CheckpointFolder& folder) {
  const std::string name = folder.class_of("scheduler");
  if (name == "CogVideoXDDIMScheduler") return SamplerKind::kDdim;
  if (name == "CogVideoXDPMScheduler") return SamplerKind::kDpm;
  throw Error(ErrorCode::kBadCheckpoint,
              printable(folder.path()) + ": the scheduler is " + name +
                  ", expected CogVideoXDDIMScheduler or CogVideoXDPMScheduler");
}

/// The parts of one checkpoint must be made for one another.
void require_one_model(const CheckpointFolder& folder, const CogConfigs& c) {
  const auto rule = [&](bool holds, const std::string& defect) {
    require(holds, ErrorCode::kBadCheckpoint, printable(folder.path()) + ": " + defect);
  };
  const std::int64_t latents = c.vae.latent_channels, in = c.transformer.in_channels;
  rule(c.transformer.text_embed_dim == c.text.d_model,
       "the transformer wants text of width " + std::to_string(c.transformer.text_embed_dim) +
           ", the text encoder gives " + std::to_string(c.text.d_model));
  rule(c.transformer.out_channels == latents && (in == latents || in == 2 * latents),
       "the transformer has " + std::to_string(in) + " channels in and " +
           std::to_string(c.transformer.out_channels) + " out, expected " +
           std::to_string(latents) + " (or twice that in, with a picture) for the VAE's latents");
  rule(c.transformer.temporal_compression_ratio == c.vae.temporal_compression_ratio,
       "transformer and VAE differ in temporal_compression_ratio");
}

TensorMap text_tensors(const CheckpointFolder& folder) {
  TensorMap tensors = folder.tensors("text_encoder");
  for (const std::string_view key : kIgnoredT5Keys) tensors.erase(std::string(key));
  return tensors;
}

T5Encoder load_text_encoder(const CheckpointFolder& folder, const T5Config& config,
                            at::ScalarType dtype, TextWeights weights) {
  TensorMap tensors = text_tensors(folder);
  if (weights == TextWeights::kAsStored && !tensors.empty())
    dtype = tensors.begin()->second.scalar_type();
  T5Encoder encoder(config);
  adopt_weights(*encoder, std::move(tensors), dtype, printable(folder.path() / "text_encoder"));
  return encoder;
}

double given_scale(const CogVaeConfig& config, VideoTask task, PictureLatents scaling) {
  if (task == VideoTask::kFromClip || scaling == PictureLatents::kMultiplied)
    return config.scaling_factor;
  if (scaling == PictureLatents::kUnscaled) return 1;
  return config.invert_scale_latents ? 1 / config.scaling_factor : config.scaling_factor;
}

}  // namespace

CogConfigs read_configs(const CheckpointFolder& folder) {
  CogConfigs configs{};
  configs.text = read_t5_config(folder.config("text_encoder"));
  configs.transformer = read_transformer_config(folder.config("transformer"));
  configs.vae = read_vae_config(folder.config("vae"));
  configs.schedule = read_noise_schedule_config(folder.config("scheduler"));
  configs.sampler = sampler_of(folder);
  require_one_model(folder, configs);
  return configs;
}

void check_weights(const CheckpointFolder& folder, const CogConfigs& configs,
                   const std::vector<LoraWish>& loras) {
  const auto source = [&](const char* part) { return printable(folder.path() / part); };
  require_fit(*T5Encoder(configs.text), text_tensors(folder), source("text_encoder"));
  const CogTransformer transformer(configs.transformer);
  require_fit(*transformer, folder.tensors("transformer"), source("transformer"));
  require_fit(*CogVae(configs.vae), folder.tensors("vae"), source("vae"));
  for (const LoraWish& lora : loras) check_lora(*transformer, read_lora(lora.file), lora.factor);
}

TensorMap tensors_below(const TensorMap& tensors, const std::string& prefix) {
  TensorMap part;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) part.emplace(name.substr(prefix.size()), tensor);
  return part;
}

ClipPlan plan_clip(const CogConfigs& c, VideoTask task, std::int64_t clips, std::int64_t frames,
                   std::int64_t height, std::int64_t width) {
  const std::int64_t side = c.vae.spatial_compression(), grid = side * c.transformer.patch_size;
  require(frames >= 1 && height >= grid && width >= grid && height % grid == 0 && width % grid == 0,
          ErrorCode::kInvalidInput,
          "a clip of " + std::to_string(frames) + " frames of " + std::to_string(width) + " x " +
              std::to_string(height) + " is not possible, sides must be multiples of " +
              std::to_string(grid));
  ClipPlan plan{.task = task,
                .clips = clips,
                .frames = frames,
                .height = height,
                .width = width,
                .latents = {.frames = (frames - 1) / c.vae.temporal_compression_ratio + 1,
                            .height = height / side,
                            .width = width / side}};
  const std::int64_t token = c.transformer.frames_per_token();
  plan.padding = (token - plan.latents.frames % token) % token;
  plan.latents.frames += plan.padding;
  return plan;
}

at::Tensor clip_of(const std::vector<RgbPicture>& pictures) {
  std::vector<at::Tensor> frames;
  for (const RgbPicture& picture : pictures) {
    require_picture(picture);
    auto* data = const_cast<std::uint8_t*>(picture.pixels.data());  // copied by `stack`
    frames.push_back(at::from_blob(data, {picture.height, picture.width, 3}, at::kByte));
  }
  return at::stack(frames).permute({3, 0, 1, 2}).unsqueeze(0).contiguous();
}

bool has_mappable_text(const CheckpointFolder& folder) {
  for (const auto& [name, tensor] : folder.tensors("text_encoder"))
    if (tensor.scalar_type() != at::kFloat && tensor.scalar_type() != at::kBFloat16) return false;
  return true;
}

TextConditions encode_text(const CheckpointFolder& folder, const CogConfigs& configs,
                           const TextWish& wish, at::ScalarType dtype, TextWeights weights) {
  const T5Tokenizer tokenizer(folder.file("tokenizer", "spiece.model"));
  const T5Encoder encoder = load_text_encoder(folder, configs.text, dtype, weights);
  std::map<std::string, at::Tensor> known;
  TextConditions conditions;
  const auto rows_of = [&](const std::string& text) {
    const auto [entry, is_new] = known.try_emplace(text);
    if (!is_new) return entry->second;
    const T5Tokens tokens = tokenizer.tokens(text, wish.rows);
    if (tokens.cut > 0) conditions.cut.push_back(tokens.cut_text);
    entry->second = encoder->forward(at::tensor(tokens.ids, at::kLong).unsqueeze(0)).to(dtype);
    return entry->second;  // [1, N, D]
  };
  const auto all_of = [&](const std::vector<std::string>& texts) {
    std::vector<at::Tensor> rows;
    for (const std::string& text : texts) rows.push_back(rows_of(text));
    return at::cat(rows);
  };
  conditions.positive = all_of(wish.prompts);
  if (!wish.negatives.empty()) conditions.negative = all_of(wish.negatives);
  return conditions;
}

CogVae load_vae(const CheckpointFolder& folder, const CogVaeConfig& config, VaeHalf half,
                at::ScalarType dtype) {
  const std::string source = printable(folder.path() / "vae");
  const TensorMap tensors = folder.tensors("vae");
  CogVae vae(config);
  require_fit(*vae, tensors, source);
  if (half == VaeHalf::kEncoder)
    adopt_weights(*vae->encoder, tensors_below(tensors, "encoder."), dtype, source);
  else
    adopt_weights(*vae->decoder, tensors_below(tensors, "decoder."), dtype, source);
  return vae;
}

at::Tensor given_latents(const CogVae& vae, const at::Tensor& given, const ClipPlan& plan,
                         PictureLatents scaling, const std::optional<TileGrid>& grid,
                         NoiseSource& noise) {
  const LatentDistribution distribution = vae->encode(given, grid);
  const at::Tensor sample = distribution.sample(
      noise.draw(distribution.mean.sizes()).to(distribution.mean.scalar_type()));
  return given_scale(vae->config(), plan.task, scaling) *
         sample.permute({0, 2, 1, 3, 4});  // [B, f, C, h, w]
}

StartLatents start_latents(const ClipPlan& plan, const CogConfigs& configs, const Sampler& sampler,
                           const at::Tensor& given, NoiseSource& noise) {
  const LatentSize& size = plan.latents;
  const at::Tensor drawn =
      noise.draw({plan.clips, size.frames, configs.vae.latent_channels, size.height, size.width});
  if (plan.task == VideoTask::kFromText) return {.latents = drawn, .picture = {}};
  // What is missing in front: a clip's padding repeats its first frame.
  if (plan.task == VideoTask::kFromClip) {
    const at::Tensor first = given.narrow(1, 0, 1).expand({-1, plan.padding, -1, -1, -1});
    const at::Tensor clip = plan.padding > 0 ? at::cat({first, given}, 1) : given;
    return {.latents = sampler.schedule().add_noise(clip, drawn.to(clip.scalar_type()),
                                                    sampler.steps().timesteps.front()),
            .picture = {}};
  }
  // The picture stands at the first latent frame, even where that is padding; the rest is zero.
  at::Tensor picture = at::zeros_like(drawn, given.options());
  picture.narrow(1, 0, 1).copy_(given);
  return {.latents = drawn.to(given.scalar_type()), .picture = picture};
}

at::Tensor as_unit(const at::Tensor& decoded) {
  return (decoded.to(at::kFloat) / 2 + 0.5).clamp(0, 1);
}

}  // namespace qingyin
