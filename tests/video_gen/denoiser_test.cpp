// The transformer of a run: LoRAs in both ways of holding its weights.
#include <gtest/gtest.h>

#include "models/checkpoint/load_weights.h"
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

double rms(const at::Tensor& x) { return x.square().mean().sqrt().item<double>(); }

TEST_F(DenoiserTest, AThresholdOfZeroReusesNothing) {
  write(tiny_config(), 1);  // which has no coefficients: none are asked for
  EXPECT_TRUE(
      planned_skips(CheckpointFolder(folder_.path()), tiny_config(), {999, 500, 1}, 0).empty());
}

// A LoRA for blocks and for what stands beside them: streamed, each block is changed whenever it is
// paged in; the answers must be those of the network that is changed once.
TEST_F(DenoiserTest, StreamedLorasDoWhatResidentOnesDo) {
  const at::NoGradGuard no_gradient;
  const CogTransformerConfig config = tiny_config();
  write(config, 0.2);
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
  add("proj_out", width, 64);
  write_safetensors(folder_.path() / "lora.safetensors", pairs, {}, Overwrite::kYes);
  DenoiserWish changed = wish(config);
  changed.loras = {{.file = folder_.path() / "lora.safetensors", .factor = 0.3}};
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

}  // namespace
}  // namespace qingyin::test
