// The published CogVideoX checkpoints behind `VideoGenerator`.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/text.h"
#include "video_gen/frame_spool.h"
#include "video_gen/job_work.h"
#include "video_gen/memory_job.h"
#include "video_gen/pipeline.h"
#include "video_gen/preview.h"
#include "video_gen/video_generator.h"

namespace qingyin {
namespace {

constexpr std::string_view kApache = "Apache-2.0";
constexpr std::string_view kCogLicence =
    "CogVideoX licence: free for research; commercial use needs a registration and is limited to "
    "1 million visits a month; no military or illegal use";

/// A published model is known by its transformer's shape.
struct Published {
  std::string_view name;
  CogTransformerConfig (*config)();
  std::string_view licence;
};
constexpr std::array<Published, 5> kPublished{{
    {"cogvideox-2b", cogvideox_2b, kApache},
    {"cogvideox-5b", cogvideox_5b, kCogLicence},
    {"cogvideox-5b-i2v", cogvideox_5b_i2v, kCogLicence},
    {"cogvideox-1.5-5b", cogvideox_15_5b, kCogLicence},
    {"cogvideox-1.5-5b-i2v", cogvideox_15_5b_i2v, kCogLicence},
}};

bool is_same_shape(const CogTransformerConfig& a, const CogTransformerConfig& b) {
  return a.num_layers == b.num_layers && a.num_attention_heads == b.num_attention_heads &&
         a.attention_head_dim == b.attention_head_dim && a.in_channels == b.in_channels &&
         a.patch_size_t == b.patch_size_t && a.ofs_embed_dim == b.ofs_embed_dim &&
         a.use_rotary_positional_embeddings == b.use_rotary_positional_embeddings &&
         a.use_learned_positional_embeddings == b.use_learned_positional_embeddings;
}

/// What the model was trained for. Published configs of 1.5 have held other sizes since.
VideoFormat native_format(const CogConfigs& c, bool is_known) {
  const CogTransformerConfig& t = c.transformer;
  const std::int64_t side = c.vae.spatial_compression(), grid = side * t.patch_size;
  const FrameRate rate{t.patch_size_t == 0 ? 8 : 16, 1};
  if (is_known && t.patch_size_t != 0)
    return {.width = 1360, .height = 768, .frames = 81, .rate = rate};
  return {.width = t.sample_width * side / grid * grid,
          .height = t.sample_height * side / grid * grid,
          .frames = t.sample_frames,
          .rate = rate};
}

VideoModelInfo info_of(const CogConfigs& c) {
  const CogTransformerConfig& t = c.transformer;
  VideoModelInfo info{.name = "cogvideox",
                      .licence = "of the checkpoint's own, which is none of the published ones",
                      .is_from_picture = c.is_from_picture(),
                      .is_second_generation = t.patch_size_t != 0};
  bool is_known = false;
  for (const Published& model : kPublished) {
    if (!is_same_shape(t, model.config())) continue;
    info.name = model.name;
    info.licence = model.licence;
    is_known = true;
  }
  // A batch of the VAE, and for 1.5 a token, hold two latent frames.
  info.frame_grid = kDecoderFrames * c.vae.temporal_compression_ratio * t.frames_per_token();
  info.size_grid = c.vae.spatial_compression() * t.patch_size;
  info.native = native_format(c, is_known);
  info.longest_frames =
      std::max<std::int64_t>(info.is_second_generation ? 161 : 49, info.native.frames);
  info.native.frames = (info.native.frames - 1) / info.frame_grid * info.frame_grid + 1;
  info.longest_frames = (info.longest_frames - 1) / info.frame_grid * info.frame_grid + 1;
  info.has_fixed_size = t.use_learned_positional_embeddings;
  info.text_tokens = t.max_text_seq_length;
  info.has_fixed_text = t.has_additive_positions();
  return info;
}

SamplerKind kind_of(const VideoSettings& s, const CogConfigs& configs) {
  if (s.sampler == VideoSampler::kOfModel || s.sampler == VideoSampler::kDistilled)
    return configs.sampler;
  return s.sampler == VideoSampler::kDdim ? SamplerKind::kDdim : SamplerKind::kDpm;
}

GuidanceCurve curve_of(const VideoSettings& s, SamplerKind kind) {
  switch (s.guidance_curve) {
    case VideoGuidance::kConstant:
      return GuidanceCurve::kConstant;
    case VideoGuidance::kWave:
      return GuidanceCurve::kWave;
    case VideoGuidance::kSmooth:
      return GuidanceCurve::kSmooth;
    case VideoGuidance::kOfModel:
      break;
  }
  return kind == SamplerKind::kDpm ? GuidanceCurve::kWave : GuidanceCurve::kConstant;
}

/// Modes in which the reference's oddities are kept, or left, by name.
std::vector<std::string> quirks_of(const VideoSettings& s, GuidanceCurve curve,
                                   const CogConfigs& configs) {
  std::vector<std::string> quirks;
  if (curve == GuidanceCurve::kWave) quirks.emplace_back("guidance in the reference's wave");
  if (s.step_ends == StepEnds::kReference)
    quirks.emplace_back("steps end where the reference's do");
  if (s.picture_latents == PictureLatents::kUnscaled)
    quirks.emplace_back("picture latents unscaled");
  if (s.picture_latents == PictureLatents::kMultiplied)
    quirks.emplace_back("picture latents multiplied");
  if (s.stored_table == StoredTable::kIgnored &&
      configs.transformer.use_learned_positional_embeddings)
    quirks.emplace_back("stored position table ignored");
  return quirks;
}

/// Writes what is decoded to the sink: at once if it comes in the order of frames, else from a
/// temporary file when all is there.
class SinkWatcher : public RunWatcher {
 public:
  SinkWatcher(const ClipPlan& plan, std::size_t steps, bool is_tiled, VideoReport& report,
              FrameSink& sink, const Progress& progress)
      : plan_(plan), steps_(steps), report_(report), sink_(sink), progress_(progress) {
    if (is_tiled) spool_.emplace(plan.frames, plan.height, plan.width);
  }

  void on_text(const TextConditions& text) override {
    for (const std::string& cut : text.cut)
      report_.warnings.push_back("the end of the prompt did not fit and was left out: " + cut);
    tell("text", kTextDone);
  }

  void on_start(const StartLatents&) override { tell("given pictures", kStartDone); }

  void on_notes(const DenoiserNotes& notes) override {
    report_.loras = notes.loras;
    tell("model", kModelDone);
  }

  void on_step(const DoneStep& step) override {
    report_.timesteps.push_back(step.timestep);
    report_.guidance.push_back(step.guidance);
    const double done = static_cast<double>(step.index + 1) / static_cast<double>(steps_);
    tell("step " + std::to_string(step.index + 1) + " of " + std::to_string(steps_),
         kModelDone + done * (kStepsDone - kModelDone));
  }

  void on_preview(const at::Tensor& strip) override {
    const auto* bytes = strip.const_data_ptr<std::uint8_t>();
    sink_.preview({.height = strip.size(0),
                   .width = strip.size(1),
                   .pixels = std::vector<std::uint8_t>(bytes, bytes + strip.numel())});
  }

  void on_frames(std::int64_t, const at::Tensor& values, const VideoPlace& place) override {
    const at::Tensor bytes =
        (as_unit(values)[0] * 255).round().to(at::kByte).permute({1, 2, 3, 0}).contiguous();
    if (spool_)
      keep(bytes, place);
    else
      write(bytes);
    decoded_ += static_cast<double>(bytes.numel());
    const double all = static_cast<double>(plan_.frames * plan_.height * plan_.width * 3);
    tell("decoding", kStepsDone + decoded_ / all * (1 - kStepsDone));
  }

  void finish() {
    if (!spool_) return;
    for (std::int64_t i = 0; i < plan_.frames; ++i) sink_.write(spool_->frame(i));
  }

 private:
  // Shares of the whole at which the parts end, roughly.
  static constexpr double kTextDone = 0.01, kStartDone = 0.02, kModelDone = 0.03, kStepsDone = 0.9;

  void tell(const std::string& what, double fraction) {
    qingyin::report(progress_, what, std::min(1.0, fraction));
  }

  void write(const at::Tensor& frames) {  // [F, H, W, 3]
    for (const at::Tensor& frame : frames.unbind())
      sink_.write({frame.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(frame.numel())});
  }

  void keep(const at::Tensor& part, const VideoPlace& place) {
    for (std::int64_t f = 0; f < part.size(0); ++f) {
      const std::span<std::uint8_t> bytes = spool_->frame(place.frame + f);
      at::from_blob(bytes.data(), {plan_.height, plan_.width, 3}, at::kByte)
          .narrow(0, place.top, part.size(1))
          .narrow(1, place.left, part.size(2))
          .copy_(part[f]);
    }
  }

  ClipPlan plan_;
  std::size_t steps_;
  VideoReport& report_;
  FrameSink& sink_;
  const Progress& progress_;
  std::optional<FrameSpool> spool_;
  double decoded_ = 0;
};

class CogVideoGenerator : public VideoGenerator {
 public:
  explicit CogVideoGenerator(const std::filesystem::path& path)
      : folder_(complete(path)), configs_(read_configs(folder_)), info_(info_of(configs_)) {}

  const VideoModelInfo& info() const override { return info_; }

 private:
  static CheckpointFolder complete(const std::filesystem::path& path) {
    CheckpointFolder folder(path);
    folder.require_complete();
    return folder;
  }

  ClipPlan plan_of(const VideoPrompt& prompt, const VideoSettings& s) const {
    return plan_clip(configs_, task_of(prompt), /*clips=*/1, s.frames, s.height, s.width);
  }

  SamplerSteps steps_of(const VideoPrompt& prompt, const VideoSettings& s) const {
    if (s.sampler == VideoSampler::kDistilled) return four_distilled_steps(kind_of(s, configs_));
    return plan_steps(
        NoiseSchedule(configs_.schedule), kind_of(s, configs_), s.steps,
        task_of(prompt) == VideoTask::kFromClip ? s.strength : 1.0,
        s.step_ends == StepEnds::kExact ? PreviousTimestep::kExact : PreviousTimestep::kCompatible);
  }

  MemoryJob job_of(const ClipPlan& plan, const VideoSettings& s) const {
    return {.text = configs_.text,
            .transformer = configs_.transformer,
            .vae = configs_.vae,
            .latent_frames = plan.latents.frames,
            .height = s.height,
            .width = s.width,
            .text_rows = s.text_tokens,
            .batch = s.guidance > 1 ? 2 : 1,
            .encoded_frames = plan.task == VideoTask::kFromText      ? 0
                              : plan.task == VideoTask::kFromPicture ? 1
                                                                     : plan.frames,
            .steps = s.steps,
            .element_bytes = s.precision == VideoPrecision::kBfloat16 ? 2 : 4,
            .reuses_steps = s.skip_threshold > 0,
            .preview = s.preview_every > 0
                           ? preview_extent(plan.latents, configs_.vae.spatial_compression())
                           : VaeExtent{},
            .has_int8_blocks = s.weights == VideoWeights::kInt8,
            .has_mappable_text = has_mappable_text(folder_)};
  }

  VideoEstimate do_estimate(const VideoPrompt& prompt, const VideoSettings& s) const override {
    check_weights(folder_, configs_, s.loras);
    const ClipPlan plan = plan_of(prompt, s);
    const MemoryJob job = job_of(plan, s);
    const SamplerSteps steps = steps_of(prompt, s);
    VideoEstimate estimate{.memory = plan_memory(job, s.memory_bytes),
                           .tokens = tokens_of(job),
                           .steps = static_cast<std::int64_t>(steps.timesteps.size())};
    estimate.skipped_steps = skips_of(steps, s);
    const auto forwards =
        static_cast<std::int64_t>(steps.timesteps.size() - estimate.skipped_steps.size());
    estimate.tera_flop = transformer_tera_flop(job) * static_cast<double>(forwards * job.batch);
    return estimate;
  }

  std::vector<std::int64_t> skips_of(const SamplerSteps& steps, const VideoSettings& s) const {
    return planned_skips(folder_, configs_.transformer, steps.timesteps, s.skip_threshold);
  }

  /// The picture or the clip at the size of the run: uint8 [1, 3, F, H, W].
  at::Tensor given_of(const VideoPrompt& prompt, const VideoSettings& s) const {
    std::vector<RgbPicture> pictures;
    const auto add = [&](const RgbPicture& picture) {
      pictures.push_back(fitted(picture, s.height, s.width, s.picture_fit));
    };
    if (prompt.picture) add(*prompt.picture);
    while (prompt.clip && static_cast<std::int64_t>(pictures.size()) < s.frames) {
      const std::optional<RgbPicture> next = prompt.clip();
      if (!next) break;
      add(*next);
    }
    const auto count = static_cast<std::int64_t>(pictures.size());
    const std::int64_t grid = info_.frame_grid;
    require(!prompt.clip || count == s.frames, ErrorCode::kInvalidInput,
            "the given clip has " + std::to_string(count) + " frames, " + std::to_string(s.frames) +
                " are wanted; ask for " +
                std::to_string(std::max<std::int64_t>(0, count - 1) / grid * grid + 1) +
                " or give a longer one");
    return pictures.empty() ? at::Tensor() : clip_of(pictures);
  }

  ClipRun run_of(const VideoPrompt& prompt, const VideoSettings& s,
                 const MemoryPlan& memory) const {
    // Before the aggregate: GCC 12 destroys the wrong members if an initializer throws.
    const ClipPlan plan = plan_of(prompt, s);
    const SamplerSteps steps = steps_of(prompt, s);
    const std::vector<std::int64_t> skips = skips_of(steps, s);
    const at::Tensor given = given_of(prompt, s);
    ClipRun run{.folder = folder_,
                .configs = configs_,
                .plan = plan,
                .text = {},
                .given = given,
                .steps = steps,
                .curve = curve_of(s, steps.kind),
                .guidance = s.guidance,
                .picture_latents = s.picture_latents,
                .stored_table = s.stored_table,
                .skipped_steps = skips,
                .loras = s.loras,
                .dtype = s.precision == VideoPrecision::kBfloat16 ? at::kBFloat16 : at::kFloat,
                .text_weights = memory.maps_text ? TextWeights::kAsStored : TextWeights::kConverted,
                .weights = s.weights,
                .streams_transformer = memory.streams_transformer,
                .preview_every = s.preview_every,
                .encoder_grid = {},
                .decoder_grid = {}};
    run.text.prompts = {prompt.text};
    run.text.rows = s.text_tokens;
    if (s.guidance > 1) run.text.negatives = {prompt.negative};
    if (memory.tiles_vae) {
      run.encoder_grid = seamless_encoder_grid(configs_.vae);
      run.decoder_grid = seamless_decoder_grid(configs_.vae);
    }
    return run;
  }

  std::vector<std::string> warnings_of(const VideoSettings& s) const {
    std::vector<std::string> warnings;
    if (s.width != info_.native.width || s.height != info_.native.height)
      warnings.push_back("the model was trained for " + std::to_string(info_.native.width) + " x " +
                         std::to_string(info_.native.height) + " pixels");
    if (s.frames != info_.native.frames)
      warnings.push_back("the model was trained for " + std::to_string(info_.native.frames) +
                         " frames");
    if (s.sampler == VideoSampler::kDistilled && s.guidance > 1)
      warnings.push_back("the distilled steps were learned without guidance; use 1");
    if (s.sampler == VideoSampler::kDistilled && s.loras.empty())
      warnings.push_back("four steps are enough for a distilled model only, and no LoRA is given");
    return warnings;
  }

  VideoReport do_generate(const VideoPrompt& prompt, const VideoSettings& s, FrameSink& sink,
                          const Progress& progress) const override {
    check_weights(folder_, configs_, s.loras);
    // Other networks of the process may have set another number.
    if (s.threads > 0 && at::get_num_threads() != s.threads) at::set_num_threads(s.threads);
    const MemoryPlan memory = plan_memory(job_of(plan_of(prompt, s), s), s.memory_bytes);
    const ClipRun run = run_of(prompt, s, memory);
    VideoReport report{.model = info_,
                       .task = run.plan.task,
                       .format = {.width = s.width,
                                  .height = s.height,
                                  .frames = s.frames,
                                  .rate = info_.native.rate},
                       .settings = s,
                       .memory = memory,
                       .skipped_steps = run.skipped_steps,
                       .warnings = warnings_of(s),
                       .quirks = quirks_of(s, run.curve, configs_)};
    const bool is_tiled = run.decoder_grid && run.decoder_grid->applies_to(run.plan.latents.height,
                                                                           run.plan.latents.width);
    sink.begin(report.format);
    SinkWatcher watcher(run.plan, run.steps.timesteps.size(), is_tiled, report, sink, progress);
    SeededNoise noise(s.seed);
    run_clip(run, noise, watcher);
    watcher.finish();
    return report;
  }

  CheckpointFolder folder_;
  CogConfigs configs_;
  VideoModelInfo info_;
};

}  // namespace

std::unique_ptr<VideoGenerator> open_video_generator(const std::filesystem::path& folder) {
  return std::make_unique<CogVideoGenerator>(folder);
}

}  // namespace qingyin
