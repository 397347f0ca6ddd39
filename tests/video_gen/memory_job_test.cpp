#include "video_gen/memory_job.h"

#include <gtest/gtest.h>

#include "models/checkpoint/load_weights.h"
#include "tests/support/expect_error.h"
#include "video_gen/job_work.h"
#include "video_gen/transformer.h"
#include "video_gen/vae.h"

namespace qingyin::test {
namespace {

std::int64_t weights_in(const torch::nn::Module& network) {
  std::int64_t sum = 0;
  for (const auto& [name, tensor] : weights_of(network)) sum += tensor.numel();
  return sum;
}

MemoryJob native_2b() {
  return {.text = t5_v1_1_xxl(),
          .transformer = cogvideox_2b(),
          .vae = cogvideox_2b_vae(),
          .latent_frames = 13,
          .height = 480,
          .width = 720,
          .text_rows = 226};
}

// The formulas must count what the networks really have, and the published numbers.
TEST(MemoryPlan, CountsTheWeightsOfTheNetworks) {
  for (const CogTransformerConfig& config : {cogvideox_2b(), cogvideox_5b(), cogvideox_5b_i2v(),
                                             cogvideox_15_5b(), cogvideox_15_5b_i2v()})
    EXPECT_EQ(parameters_of(config), weights_in(*CogTransformer(config)));
  EXPECT_EQ(parameters_of(cogvideox_2b()), 1'693'783'872);
  EXPECT_EQ(parameters_of(t5_v1_1_xxl()), 4'762'310'656);
  const CogVae vae(cogvideox_5b_vae());
  EXPECT_EQ(encoder_parameters_of(cogvideox_5b_vae()), weights_in(*vae->encoder));
  EXPECT_EQ(decoder_parameters_of(cogvideox_5b_vae()), weights_in(*vae->decoder));
}

// 120 TFLOP for one forward of 2b at its native size (specification 2.3).
TEST(MemoryPlan, CountsTheWork) { EXPECT_NEAR(transformer_tera_flop(native_2b()), 120, 3); }

TEST(MemoryPlan, StreamsAndTilesOnlyWhereMemoryIsShort) {
  MemoryJob job = native_2b();
  const MemoryPlan free = plan_memory(job, 0);
  EXPECT_FALSE(free.streams_transformer || free.tiles_vae || free.maps_text);
  job.text = {
      .vocab_size = 100, .d_model = 32, .d_kv = 8, .d_ff = 64, .num_layers = 1, .num_heads = 4};
  const MemoryPlan large = memory_of(job, {});
  const std::int64_t denoise = large.stages[1].bytes(), decode = large.stages[2].bytes();
  ASSERT_GT(decode, denoise);
  const MemoryPlan tiled = plan_memory(job, decode - 1);
  EXPECT_TRUE(tiled.tiles_vae);
  EXPECT_FALSE(tiled.streams_transformer);
  const MemoryPlan both = plan_memory(job, denoise - 1);
  EXPECT_TRUE(both.tiles_vae && both.streams_transformer);
  EXPECT_LE(both.peak_bytes(), denoise - 1);
}

// The text encoder is the largest of all, and runs once: it need not be in memory as a whole.
TEST(MemoryPlan, LeavesALargeTextEncoderInItsFile) {
  MemoryJob job = native_2b();
  const std::int64_t budget = 12'000'000'000;
  EXPECT_TRUE(throws_error([&] { plan_memory(job, budget); }, ErrorCode::kDevice, "text 19"));
  job.has_mappable_text = true;
  const MemoryPlan plan = plan_memory(job, budget);
  EXPECT_TRUE(plan.maps_text);
  EXPECT_LE(plan.peak_bytes(), budget);
}

// 8 bits: 12 width^2 bytes a block instead of four times as many, and the norms' tables for
// weights.
TEST(MemoryPlan, KnowsBlocksInEightBits) {
  MemoryJob job = native_2b();
  const MemoryStage full = memory_of(job, {}).stages[1];
  const MemoryStage full_streamed = memory_of(job, {.streams_transformer = true}).stages[1];
  job.has_int8_blocks = true;
  const MemoryPlan plan = memory_of(job, {});
  EXPECT_NE(plan.text().find("(weights in 8 bits)"), std::string::npos) << plan.text();
  const std::int64_t saved = full.weights_bytes - plan.stages[1].weights_bytes;
  const std::int64_t large = 30 * 12 * 1920 * 1920, norms = 30 * 2 * 6 * 1920 * 513;
  EXPECT_EQ(saved, 3 * large - 4 * 9 * 1920 * 30 + 4 * norms);
  const MemoryPlan streamed = memory_of(job, {.streams_transformer = true});
  EXPECT_LT(streamed.stages[1].bytes(), plan.stages[1].bytes());
  EXPECT_LT(streamed.stages[1].bytes(), full_streamed.bytes() + (std::int64_t{64} << 20));
  EXPECT_NE(streamed.text().find("8 bits, streamed"), std::string::npos) << streamed.text();
}

TEST(MemoryPlan, SaysWhatWouldBeEnough) {
  EXPECT_TRUE(throws_error([] { plan_memory(native_2b(), std::int64_t{1} << 20); },
                           ErrorCode::kDevice, "needs at least"));
}

}  // namespace
}  // namespace qingyin::test
