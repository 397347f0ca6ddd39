// TeaCache in whole runs. Coefficients are published for five shapes, so the tiny checkpoint gets a
// transformer with the layers and heads of 2b, eight channels to a head, and a time embedding that
// changes about as slowly as a trained one's.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "models/checkpoint/load_weights.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/video_gen/tiny_clip.h"
#include "video_gen/checkpoint_folder.h"
#include "video_gen/pipeline_parts.h"
#include "video_gen/transformer.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

class TeaCacheRun : public TinyClip {
 protected:
  void SetUp() override {
    TinyClip::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (!folder_) make_checkpoint(from_text_);
    model_ = folder_->path() / "model";
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static void make_checkpoint(const fs::path& from) {
    folder_.emplace();
    const fs::path model = folder_->path() / "model", part = model / "transformer";
    fs::copy(from, model, fs::copy_options::recursive);
    fs::permissions(part, fs::perms::owner_all);
    nlohmann::json json = nlohmann::json::parse(content_of(part / "config.json"));
    json["num_layers"] = 30;
    json["num_attention_heads"] = 30;
    json["attention_head_dim"] = 8;
    json["max_text_seq_length"] = 16;
    fs::remove_all(part);
    fs::create_directory(part);
    put(part / "config.json", json.dump());
    write_weights(model);
  }

  static void write_weights(const fs::path& model) {
    at::manual_seed(8);
    const CogConfigs configs = read_configs(CheckpointFolder(model));
    TensorMap weights;
    for (const auto& [name, tensor] : weights_of(*CogTransformer(configs.transformer))) {
      const double inputs = static_cast<double>(tensor.numel() / tensor.size(0));
      // A large constant part beside what changes with the time.
      const bool is_slow = name.starts_with("time_embedding.linear_1");
      weights.emplace(name, tensor.dim() > 1 ? (is_slow ? 0.2 : 0.5) / std::sqrt(inputs) *
                                                   at::randn(tensor.sizes())
                                             : at::full(tensor.sizes(), is_slow ? 1.0 : 0.1));
    }
    write_safetensors(model / "transformer" / "diffusion_pytorch_model.safetensors", weights, {},
                      Overwrite::kYes);
  }

  static VideoSettings twelve_steps() {
    return {.width = 48,
            .height = 32,
            .frames = 9,
            .steps = 12,
            .guidance = 1,
            .seed = 5,
            .threads = 1};
  }

  struct Run {
    std::vector<std::vector<std::uint8_t>> frames;
    VideoReport report;
  };
  Run run(const VideoSettings& settings) const {
    Frames frames;
    VideoReport report = open_video_generator(model_)->generate(a_fox(), settings, frames);
    return {.frames = std::move(frames.all), .report = std::move(report)};
  }

  /// The smallest of some thresholds with which between a quarter and three quarters of the twelve
  /// steps are shown as skipped.
  double useful_threshold() const {
    const auto generator = open_video_generator(model_);
    VideoSettings settings = twelve_steps();
    for (settings.skip_threshold = 0.02; settings.skip_threshold < 1;
         settings.skip_threshold *= 1.5) {
      const auto count = generator->estimate(a_fox(), settings).skipped_steps.size();
      if (count >= 3 && count <= 9) return settings.skip_threshold;
    }
    ADD_FAILURE() << "no threshold skips between 3 and 9 of 12 steps";
    return 0.5;
  }

  inline static std::optional<TemporaryFolder> folder_;
  fs::path model_;
};

TEST_F(TeaCacheRun, SkipsTheStepsThatWereShown) {
  const auto generator = open_video_generator(model_);
  VideoSettings settings = twelve_steps();
  const VideoEstimate whole = generator->estimate(a_fox(), settings);
  EXPECT_TRUE(whole.skipped_steps.empty());
  const Run plain = run(settings);
  EXPECT_TRUE(plain.report.skipped_steps.empty());

  settings.skip_threshold = useful_threshold();
  const VideoEstimate shown = generator->estimate(a_fox(), settings);
  const auto count = static_cast<double>(shown.skipped_steps.size());
  EXPECT_NEAR(shown.tera_flop, whole.tera_flop * (12 - count) / 12, 1e-9 * whole.tera_flop);
  const Run reused = run(settings);
  EXPECT_EQ(reused.report.skipped_steps, shown.skipped_steps);
  EXPECT_EQ(reused.report.timesteps, plain.report.timesteps);
  ASSERT_EQ(reused.frames.size(), plain.frames.size());
  EXPECT_NE(reused.frames, plain.frames) << "nothing was reused";
  EXPECT_LT(mean_difference(reused.frames, plain.frames), 8);

  // The list does not depend on the run's type, on where weights are, nor on LoRAs.
  settings.precision = VideoPrecision::kBfloat16;
  EXPECT_EQ(run(settings).report.skipped_steps, shown.skipped_steps);
}

TEST_F(TeaCacheRun, AThresholdThatIsTooSmallChangesNoBit) {
  VideoSettings settings = twelve_steps();
  const Run plain = run(settings);
  settings.skip_threshold = 1e-9;
  const Run small = run(settings);
  EXPECT_TRUE(small.report.skipped_steps.empty());
  EXPECT_EQ(small.frames, plain.frames);
}

TEST_F(TeaCacheRun, ReusesTheSameInEveryWayOfHoldingWeights) {
  VideoSettings settings = twelve_steps();
  settings.skip_threshold = useful_threshold();
  const auto generator = open_video_generator(model_);
  const Run resident = run(settings);
  VideoSettings streamed = settings;
  streamed.memory_bytes = generator->estimate(a_fox(), settings).memory.peak_bytes() - 1;
  const Run paged = run(streamed);
  ASSERT_TRUE(paged.report.memory.streams_transformer);
  ASSERT_FALSE(paged.report.memory.tiles_vae);
  EXPECT_LT(mean_difference(paged.frames, resident.frames), 0.1);
  settings.weights = VideoWeights::kInt8;
  EXPECT_LT(mean_difference(run(settings).frames, resident.frames), 4);
}

TEST_F(TeaCacheRun, IsRefusedForAShapeWithoutCoefficients) {
  VideoSettings settings = twelve_steps();
  settings.skip_threshold = 0.2;
  const auto other = open_video_generator(from_text_);
  EXPECT_TRUE(throws_error([&] { other->estimate(a_fox(), settings); }, ErrorCode::kUsage,
                           "without TeaCache"));
  Frames none;
  EXPECT_TRUE(throws_error([&] { other->generate(a_fox(), settings, none); }, ErrorCode::kUsage,
                           "without TeaCache"));
}

}  // namespace
}  // namespace qingyin::test
