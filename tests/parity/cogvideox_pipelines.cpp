// Whole pipelines of CogVideoX on tiny checkpoints, from text to frames.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "core/error.h"
#include "tests/parity/case_registry.h"
#include "tests/parity/cogvideox.h"
#include "tests/support/fixture.h"
#include "tests/support/near.h"
#include "video_gen/pipeline.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr char kFile[] = "expected.safetensors";

/// The noise of a fixture, handed out in the order of the reference's draws.
class RecordedNoise : public NoiseSource {
 public:
  explicit RecordedNoise(const TensorMap& inputs) {
    if (inputs.contains("posterior_noise")) draws_.push_back(inputs.at("posterior_noise"));
    draws_.push_back(inputs.at("initial_noise"));
    if (inputs.contains("step_noise"))
      for (const at::Tensor& draw : inputs.at("step_noise").unbind()) draws_.push_back(draw);
  }

  at::Tensor draw(at::IntArrayRef shape) override {
    require(next_ < draws_.size(), ErrorCode::kInternal, "more noise is drawn than was recorded");
    const at::Tensor noise = draws_[next_++];
    require(noise.sizes() == shape, ErrorCode::kInternal, "noise of another shape was recorded");
    return noise;
  }
  void pass_over(at::IntArrayRef shape) override { draw(shape); }
  std::size_t left() const { return draws_.size() - next_; }

 private:
  std::vector<at::Tensor> draws_;
  std::size_t next_ = 0;
};

std::vector<std::string> texts_of(const Json& text) {
  if (text.is_array()) return text.get<std::vector<std::string>>();
  return {text.is_null() ? std::string() : text.get<std::string>()};
}

RgbPicture picture_of(const at::Tensor& pixels) {  // [H, W, 3]
  const at::Tensor bytes = pixels.contiguous();
  const auto* data = bytes.const_data_ptr<std::uint8_t>();
  return {.height = bytes.size(0), .width = bytes.size(1), .pixels = {data, data + bytes.numel()}};
}

/// How a case is run; every way must give the same.
enum class Way { kResident, kStreamed };

/// One pipeline of the fixtures, compared at every stage.
class PipelineCase : public RunWatcher {
 public:
  PipelineCase(const fs::path& file, Way way)
      : fixture_(file),
        folder_(file.parent_path()),
        configs_(read_configs(folder_)),
        config_(fixture_.config()),
        call_(config_.at("call")),
        in_(fixture_.group("in")),
        mid_(fixture_.group("mid")),
        way_(way) {}

  void check() {
    const at::Tensor given = given_pictures();
    const ClipRun run = run_of(given);
    check_plan(run);
    RecordedNoise noise(in_);
    const at::Tensor expected = fixture_.out("frames");
    frames_ = at::full_like(expected.dim() == 5 ? expected : expected.unsqueeze(0), NAN);
    run_clip(run, noise, *this);
    EXPECT_EQ(noise.left(), 0U) << "recorded draws that were not asked for";
    EXPECT_EQ(steps_, run.steps.timesteps.size());
    const double limit = fixture_.metadata("limit").at("frames_max_abs").get<double>();
    EXPECT_TRUE(near(frames_.view_as(expected), expected, {.absolute = limit})) << "frames";
  }

  void on_text(const TextConditions& text) override {
    compare("prompt_embeds", text.positive);
    if (text.negative.defined()) compare("negative_prompt_embeds", text.negative);
    EXPECT_EQ(text.negative.defined(), mid_.contains("negative_prompt_embeds"));
  }

  void on_start(const StartLatents& start) override {
    compare("initial_latents", start.latents);
    EXPECT_EQ(start.picture.defined(), mid_.contains("image_latents"));
    if (start.picture.defined()) compare("image_latents", start.picture);
  }

  void on_notes(const DenoiserNotes& notes) override {
    EXPECT_EQ(notes.loras.size(), lora_path() ? 1U : 0U);
  }

  void on_step(const DoneStep& step) override {
    const std::string name = "step" + std::to_string(step.index);
    const Json weights = fixture_.metadata("guidance_per_step");
    if (!is_guided()) {
      EXPECT_EQ(step.guidance, 1.0);
    } else {
      EXPECT_NEAR(step.guidance, weights.at(step.index).get<double>(), 1e-9) << name;
    }
    compare("noise_pred." + name, step.prediction);
    EXPECT_TRUE(near(step.latents, fixture_.out("latents." + name), kCogvideoxPipelineFloat32Cpu))
        << name;
    ++steps_;
  }

  void on_frames(std::int64_t clip, const at::Tensor& values, const VideoPlace& place) override {
    const at::Tensor part = as_unit(values)[0].permute({1, 0, 2, 3});  // [F, 3, H, W]
    frames_[clip]
        .narrow(0, place.frame, part.size(0))
        .narrow(2, place.top, part.size(2))
        .narrow(3, place.left, part.size(3))
        .copy_(part);
  }

 private:
  template <typename T>
  T option(const char* name, T absent) const {
    const auto found = call_.find(name);
    return found == call_.end() || found->is_null() ? absent : found->get<T>();
  }
  bool is_guided() const { return option("guidance_scale", 6.0) > 1; }

  void compare(const std::string& name, const at::Tensor& got) {
    const auto expected = mid_.find(name);
    if (expected == mid_.end()) return;
    EXPECT_TRUE(near(got, expected->second, kCogvideoxPipelineFloat32Cpu)) << name;
  }

  VideoTask task() const {
    if (in_.contains("video")) return VideoTask::kFromClip;
    return in_.contains("image") ? VideoTask::kFromPicture : VideoTask::kFromText;
  }

  /// Resized as the pipelines do: [B, 3, F, H, W].
  at::Tensor given_pictures() {
    if (task() == VideoTask::kFromText) return {};
    std::vector<RgbPicture> pictures;
    const bool is_clip = task() == VideoTask::kFromClip;
    for (const at::Tensor& pixels : in_.at(is_clip ? "video" : "image").unbind())
      pictures.push_back(resized(picture_of(pixels), option<std::int64_t>("height", 0),
                                 option<std::int64_t>("width", 0)));
    const at::Tensor clip = clip_of(pictures);  // [1, 3, N, H, W]
    const at::Tensor given = is_clip ? clip : clip.permute({2, 1, 0, 3, 4});
    const auto expected = mid_.find("pixels");
    if (expected != mid_.end()) {
      const at::Tensor values = 2 * (given.to(at::kFloat) / 255) - 1;
      EXPECT_TRUE(near(values.reshape(expected->second.sizes()), expected->second, kExact));
    }
    return given;
  }

  std::optional<fs::path> lora_path() const {
    const Json& lora = config_.at("lora");
    if (lora.is_null()) return {};
    return (folder_.path() / lora.get<std::string>()).lexically_normal();
  }

  std::int64_t frames() const {
    if (task() == VideoTask::kFromClip) return in_.at("video").size(0);
    return option<std::int64_t>("num_frames", configs_.transformer.sample_frames);
  }

  ClipRun run_of(const at::Tensor& given) const {
    const std::vector<std::string> prompts = texts_of(fixture_.metadata("prompt"));
    std::vector<std::string> negatives = texts_of(fixture_.metadata("negative_prompt"));
    negatives.resize(prompts.size(), negatives.front());
    if (!is_guided()) negatives.clear();
    const NoiseSchedule schedule(configs_.schedule);
    const bool is_dynamic = option("use_dynamic_cfg", false);
    const SamplerSteps steps =
        plan_steps(schedule, configs_.sampler, call_.at("num_inference_steps"),
                   task() == VideoTask::kFromClip ? option("strength", 0.8) : 1.0);
    const ClipPlan plan =
        plan_clip(configs_, task(), static_cast<std::int64_t>(prompts.size()), frames(),
                  option<std::int64_t>("height", 0), option<std::int64_t>("width", 0));
    ClipRun run{.folder = folder_,
                .configs = configs_,
                .plan = plan,
                .text = {},
                .given = given,
                .steps = steps,
                .curve = is_dynamic ? GuidanceCurve::kWave : GuidanceCurve::kConstant,
                .guidance = option("guidance_scale", 6.0),
                .loras = {},
                .streams_transformer = way_ == Way::kStreamed,
                .encoder_grid = {},
                .decoder_grid = {}};
    run.text.prompts = prompts;
    run.text.negatives = negatives;
    run.text.rows = option<std::int64_t>("max_sequence_length", 226);
    if (const auto lora = lora_path()) run.loras = {{.file = file_of(*lora)}};
    add_tiling(run);
    return run;
  }

  static fs::path file_of(const fs::path& lora) {
    return fs::is_directory(lora) ? lora / "pytorch_lora_weights.safetensors" : lora;
  }

  void add_tiling(ClipRun& run) const {
    const Json& tile = config_.at("tiling");
    if (tile.is_null()) return;
    TilingRequest request = usual_tiling(configs_.vae);
    const auto set = [&](std::size_t i, auto& field) {
      if (i < tile.size() && !tile.at(i).is_null()) tile.at(i).get_to(field);
    };
    set(0, request.height);
    set(1, request.width);
    set(2, request.overlap_height);
    set(3, request.overlap_width);
    run.encoder_grid = encoder_grid(configs_.vae, request);
    run.decoder_grid = decoder_grid(configs_.vae, request);
  }

  void check_plan(const ClipRun& run) const {
    EXPECT_EQ(Json(run.steps.timesteps), fixture_.metadata("timesteps"));
    const Sampler sampler(NoiseSchedule(configs_.schedule), run.steps);
    Json draws = Json::array();
    for (std::size_t i = 0; i < run.steps.timesteps.size(); ++i) draws.push_back(sampler.draws(i));
    EXPECT_EQ(draws, fixture_.metadata("draws_per_step"));
  }

  Fixture fixture_;
  CheckpointFolder folder_;
  CogConfigs configs_;
  Json config_, call_;
  TensorMap in_, mid_;
  Way way_;
  at::Tensor frames_;  // [B, F, 3, H, W]
  std::size_t steps_ = 0;
};

bool claims(const fs::path& relative) { return *relative.begin() == "pipelines"; }

void register_tests(const fs::path& folder, const std::vector<fs::path>& claimed) {
  for (const fs::path& file : claimed) {
    if (file.filename() != kFile) continue;
    const std::string name = "pipelines_" + file.parent_path().filename().string();
    register_case("cogvideox", name,
                  [path = folder / file] { PipelineCase(path, Way::kResident).check(); });
    register_case("cogvideox", name + "_streamed",
                  [path = folder / file] { PipelineCase(path, Way::kStreamed).check(); });
  }
}

}  // namespace

FamilyPart cogvideox_pipelines() { return {.claims = claims, .register_tests = register_tests}; }

}  // namespace qingyin::test
