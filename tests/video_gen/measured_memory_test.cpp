// The memory plan against what the kernel measures, on networks of the published shape that are
// narrower, so that what they hold beside their weights decides.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <cmath>

#include "models/checkpoint/load_weights.h"
#include "video_gen/memory_job.h"
#include "video_gen/peak_memory.h"
#include "video_gen/transformer.h"
#include "video_gen/vae.h"

namespace qingyin::test {
namespace {

constexpr double kTolerance = 0.15;

void fill(torch::nn::Module& network) {
  TensorMap weights;
  for (const auto& [name, shape] : weights_of(network)) {
    const at::Tensor tensor = at::empty(shape.sizes());
    const double inputs = static_cast<double>(tensor.numel() / tensor.size(0));
    tensor.dim() > 1 ? tensor.normal_(0, 1 / std::sqrt(inputs)) : tensor.fill_(0.5);
    weights.emplace(name, tensor);
  }
  adopt_weights(network, std::move(weights), at::kFloat);
}

class MeasuredMemory : public testing::Test {
 protected:
  void SetUp() override {
    // At full size every tensor is above the allocator's largest threshold for pages of its own.
    ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
    at::set_num_threads(1);
    at::manual_seed(3);
    // Libraries are paged in and their kernels made by the first run.
    const at::NoGradGuard no_gradient;
    run_blocks({.frames = 1, .height = 20, .width = 20}, nullptr, nullptr);
    CogVae vae(narrow_vae());
    fill(*vae);
    vae->decode(vae->encode(at::zeros({1, 3, 9, 32, 32})).mean);
  }

  static CogTransformerConfig narrow_2b() {
    CogTransformerConfig config = cogvideox_2b();
    config.num_layers = 2;
    config.num_attention_heads = 8;
    config.text_embed_dim = 64;
    config.time_embed_dim = 64;
    return config;
  }

  /// One clip of 5626 tokens.
  static MemoryJob narrow_job() {
    return {.text = t5_v1_1_xxl(),
            .transformer = narrow_2b(),
            .vae = cogvideox_2b_vae(),
            .latent_frames = 4,
            .height = 480,
            .width = 720,
            .text_rows = 226,
            .batch = 1};
  }

  /// @param memory  its peak is forgotten before the forward
  static void run_blocks(const LatentSize& size, PeakMemory* memory, at::Tensor* residual,
                         bool is_int8 = false) {
    CogTransformer network(narrow_2b());
    fill(*network);
    const CogClip clip = network->prepare(at::randn({1, 226, 64}), size);
    const CogStep step = network->step(at::full({1}, 500, at::kLong));
    for (std::size_t i = 0; is_int8 && i < 2; ++i) {
      CogBlock block = network->block(i);
      block->let_go_modulations();
      block->to_int8();
    }
    const at::Tensor latents = at::randn({1, size.frames, 16, size.height, size.width});
    if (memory != nullptr) memory->reset();
    network->forward(latents, clip, step, residual);
  }

  static CogVaeConfig narrow_vae() {
    CogVaeConfig config = cogvideox_2b_vae();
    config.block_out_channels = {32, 64, 64, 128};
    config.sample_height = 96;
    config.sample_width = 160;
    return config;
  }

  static MemoryJob vae_job() {
    return {.text = t5_v1_1_xxl(),
            .transformer = cogvideox_2b(),
            .vae = narrow_vae(),
            .latent_frames = 5,
            .height = 80,
            .width = 120,
            .encoded_frames = 17};
  }

  static void expect_planned(const MemoryPlan& plan, const std::string& name,
                             const PeakMemory& memory) {
    for (const MemoryStage& stage : plan.stages) {
      if (stage.name != name) continue;
      const auto planned = static_cast<double>(stage.bytes());
      EXPECT_NEAR(static_cast<double>(memory.grown_bytes()) / planned, 1, kTolerance)
          << memory.grown_bytes() << " measured, " << stage.bytes() << " planned, of which weights "
          << stage.weights_bytes;
      EXPECT_GT(stage.working_bytes, stage.weights_bytes / 2) << "the weights decide: no test";
    }
  }
};

// A chain of two blocks over 5626 tokens, with a step that another one will reuse and without.
TEST_F(MeasuredMemory, OfABlockChainIsThePlanned) {
  const at::NoGradGuard no_gradient;
  MemoryJob job = narrow_job();
  for (const bool is_reused : {false, true}) {
    job.reuses_steps = is_reused;
    at::Tensor residual;
    PeakMemory memory;
    run_blocks({.frames = 4, .height = 60, .width = 90}, &memory, is_reused ? &residual : nullptr);
    expect_planned(memory_of(job, {}), "denoise", memory);
  }
}

// 8 bits in memory, widened for each product.
TEST_F(MeasuredMemory, OfBlocksInEightBitsIsThePlanned) {
  const at::NoGradGuard no_gradient;
  MemoryJob job = narrow_job();
  job.steps = 1;
  job.has_int8_blocks = true;
  PeakMemory memory;
  run_blocks({.frames = 4, .height = 60, .width = 90}, &memory, nullptr, true);
  expect_planned(memory_of(job, {}), "denoise", memory);
}

TEST_F(MeasuredMemory, OfTheDecoderIsThePlanned) {
  const at::NoGradGuard no_gradient;
  const MemoryJob job = vae_job();
  for (const bool is_tiled : {false, true}) {
    PeakMemory memory;
    CogVae vae(job.vae);
    fill(*vae->decoder);
    const at::Tensor latents = at::randn({1, 16, 5, 10, 15});
    const auto grid =
        is_tiled ? std::optional(seamless_decoder_grid(job.vae)) : std::optional<TileGrid>();
    memory.reset();
    vae->decode_parts(latents, grid, [](const at::Tensor&, const VideoPlace&) {});
    expect_planned(memory_of(job, {.tiles_vae = is_tiled}), "decode", memory);
  }
}

TEST_F(MeasuredMemory, OfTheEncoderIsThePlanned) {
  const at::NoGradGuard no_gradient;
  const MemoryJob job = vae_job();
  PeakMemory memory;
  CogVae vae(job.vae);
  fill(*vae->encoder);
  const at::Tensor pixels = at::randint(0, 256, {1, 3, 17, 80, 120}, at::kByte);
  memory.reset();
  vae->encode(pixels);
  expect_planned(memory_of(job, {}), "encode", memory);
}

}  // namespace
}  // namespace qingyin::test
