// The transformer of a run: LoRAs, 8 bits and reused steps in the ways of holding its weights.
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <string_view>

#include "models/checkpoint/load_weights.h"
#include "tests/support/expect_error.h"
#include "tests/support/near.h"
#include "tests/support/temporary_folder.h"
#include "tests/video_gen/tiny_transformer.h"
#include "video_gen/pipeline_denoiser.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

/// A checkpoint of which only the transformer is there.
class DenoiserTest : public testing::Test {
 protected:
  void write(const CogTransformerConfig& config, double scale) {
    at::manual_seed(4);
    TensorMap weights;
    for (const auto& [name, tensor] : weights_of(*CogTransformer(config)))
      weights.emplace(
          name, (name.starts_with("time_embedding") ? 0.3 : scale) * at::randn(tensor.sizes()));
    folder_.write("model_index.json", R"({"_class_name": "CogVideoXPipeline"})");
    fs::create_directories(folder_.path() / "transformer");
    write_safetensors(folder_.path() / "transformer" / "diffusion_pytorch_model.safetensors",
                      weights, {}, Overwrite::kYes);
  }

  /// A LoRA for blocks and for what stands beside them.
  LoraWish write_lora(const CogTransformerConfig& config) {
    TensorMap pairs;
    const auto add = [&](const std::string& name, std::int64_t in, std::int64_t out) {
      pairs.emplace(name + ".lora_A.weight", at::randn({3, in}));
      pairs.emplace(name + ".lora_B.weight", at::randn({out, 3}));
    };
    const std::int64_t width = config.width();
    add("transformer_blocks.0.attn1.to_q", width, width);
    add("transformer_blocks.1.attn1.to_out.0", width, width);
    add("transformer_blocks.1.ff.net.0.proj", width, 4 * width);
    add("transformer_blocks.0.norm1.linear", config.time_embed_dim, 6 * width);
    add("transformer_blocks.0.attn1.to_x", width, width);  // which is in no block
    add("proj_out", width, 64);
    write_safetensors(folder_.path() / "lora.safetensors", pairs, {}, Overwrite::kYes);
    return {.file = folder_.path() / "lora.safetensors", .factor = 0.3};
  }

  DenoiserWish wish(const CogTransformerConfig& config) const {
    DenoiserWish wish;
    wish.config = config;
    wish.text = at::ones({1, config.max_text_seq_length, config.text_embed_dim});
    wish.size = {.frames = 2, .height = 4, .width = 6};
    wish.timesteps = {999, 900, 800, 700, 600, 500, 400, 300, 200, 100};
    return wish;
  }

  std::unique_ptr<Denoiser> load(const DenoiserWish& wish) {
    return load_denoiser(CheckpointFolder(folder_.path()), wish, notes_);
  }

  at::Tensor latents_ = at::randn({1, 2, 16, 4, 6});
  TemporaryFolder folder_;
  DenoiserNotes notes_;
};

/// Calls of attention while it lives: one for each block and clip that is run, and for nothing
/// else.
class AttentionCount {
 public:
  AttentionCount() {
    count() = 0;
    handle_ = at::addGlobalCallback(
        at::RecordFunctionCallback([](const at::RecordFunction& call)
                                       -> std::unique_ptr<at::ObserverContext> {
          if (std::string_view(call.name()) == "aten::scaled_dot_product_attention") ++count();
          return nullptr;
        }).scopes({at::RecordScope::FUNCTION}));
  }
  ~AttentionCount() { at::removeCallback(handle_); }
  AttentionCount(const AttentionCount&) = delete;
  AttentionCount& operator=(const AttentionCount&) = delete;
  static std::int64_t& count() {
    static std::int64_t calls = 0;
    return calls;
  }

 private:
  at::CallbackHandle handle_;
};

double rms(const at::Tensor& x) { return x.square().mean().sqrt().item<double>(); }

TEST_F(DenoiserTest, AThresholdOfZeroReusesNothing) {
  write(tiny_config(), 1);  // which has no coefficients: none are asked for
  EXPECT_TRUE(
      planned_skips(CheckpointFolder(folder_.path()), tiny_config(), {999, 500, 1}, 0).empty());
}

// Streamed, each block is changed whenever it is
// paged in; the answers must be those of the network that is changed once.
TEST_F(DenoiserTest, StreamedLorasDoWhatResidentOnesDo) {
  const at::NoGradGuard no_gradient;
  const CogTransformerConfig config = tiny_config();
  write(config, 0.2);
  DenoiserWish changed = wish(config);
  changed.loras = {write_lora(config)};
  const at::Tensor plain = load(wish(config))->predict(0, latents_);
  const auto resident = load(changed);
  changed.streams_blocks = true;
  notes_ = {};
  const auto streamed = load(changed);
  ASSERT_EQ(notes_.loras.size(), 1U);
  EXPECT_NE(notes_.loras[0].find("5 modules changed"), std::string::npos) << notes_.loras[0];
  for (std::size_t i = 0; i < 3; ++i) {
    const at::Tensor want = resident->predict(i, latents_);
    EXPECT_TRUE(near(streamed->predict(i, latents_), want, kFloat32Cpu)) << "step " << i;
    EXPECT_GT(rms(want - plain), 0.1 * rms(plain)) << "the LoRA does nothing";
  }
}

// Made for another width: the message names the whole network's modules, however blocks are read.
TEST_F(DenoiserTest, RefusesALoraOfAnotherModelInEveryWay) {
  CogTransformerConfig wide = tiny_config();
  wide.num_attention_heads = 3;
  write(tiny_config(), 0.2);
  DenoiserWish changed = wish(tiny_config());
  changed.loras = {write_lora(wide)};
  for (const bool is_streamed : {false, true})
    for (const VideoWeights weights : {VideoWeights::kFull, VideoWeights::kInt8}) {
      changed.streams_blocks = is_streamed;
      changed.weights = weights;
      EXPECT_TRUE(
          throws_error([&] { load(changed); }, ErrorCode::kBadCheckpoint,
                       "transformer_blocks.1.attn1.to_out.0: changes 48 x 48, the model has "
                       "32 x 32"));
    }
}

// Rounding to 8 bits changes the answers, by little; streamed blocks are rounded alike.
TEST_F(DenoiserTest, AnswersNearlyTheSameInEightBits) {
  const at::NoGradGuard no_gradient;
  const CogTransformerConfig config = tiny_config();
  write(config, 0.2);
  for (const bool has_lora : {false, true}) {
    DenoiserWish wanted = wish(config);
    if (has_lora) wanted.loras = {write_lora(config)};
    const auto full = load(wanted);
    wanted.weights = VideoWeights::kInt8;
    const auto kept = load(wanted);
    wanted.streams_blocks = true;
    const auto streamed = load(wanted);
    for (std::size_t i = 0; i < 3; ++i) {
      const at::Tensor exact = full->predict(i, latents_), rounded = kept->predict(i, latents_);
      const double error = rms(rounded - exact) / rms(exact);
      EXPECT_GT(error, 1e-4) << "nothing is rounded";
      EXPECT_LT(error, 0.02) << "step " << i << (has_lora ? ", with a LoRA" : "");
      EXPECT_TRUE(near(streamed->predict(i, latents_), rounded, kExact)) << "step " << i;
    }
  }
}

// A reused step runs no block; each block calls attention once.
TEST_F(DenoiserTest, RunsNoBlocksInReusedSteps) {
  const at::NoGradGuard no_gradient;
  const CogTransformerConfig config = tiny_config();
  write(config, 0.2);
  const DenoiserWish plain = wish(config);
  DenoiserWish reusing = plain;
  reusing.skipped_steps = {1, 2, 5, 8};
  for (const VideoWeights weights : {VideoWeights::kFull, VideoWeights::kInt8})
    for (const bool is_streamed : {false, true}) {
      reusing.weights = weights;
      reusing.streams_blocks = is_streamed;
      const auto denoiser = load(reusing);
      const AttentionCount attention;
      for (std::size_t i = 0; i < reusing.timesteps.size(); ++i) {
        const std::int64_t before = AttentionCount::count();
        const at::Tensor answer = denoiser->predict(i, latents_);
        const bool is_reused = i == 1 || i == 2 || i == 5 || i == 8;
        EXPECT_EQ(AttentionCount::count() - before, is_reused ? 0 : config.num_layers) << i;
        EXPECT_TRUE(answer.isfinite().all().item<bool>());
      }
    }
}

}  // namespace
}  // namespace qingyin::test
