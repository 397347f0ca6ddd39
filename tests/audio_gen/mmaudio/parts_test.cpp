// Rules of MMAudio's parts that no parity fixture reaches: refusals, and lengths in integers.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "audio_gen/mmaudio/bigvgan.h"
#include "audio_gen/mmaudio/flow_network.h"
#include "audio_gen/mmaudio/mel_frontend.h"
#include "audio_gen/mmaudio/mel_vae.h"
#include "audio_gen/mmaudio/sampler.h"
#include "audio_gen/mmaudio/sequence.h"
#include "tests/support/expect_error.h"

namespace qingyin::mmaudio {
namespace {

TEST(MmaudioSequence, WholeSegmentsHaveLengthsOfTheirOwn) {
  // 8 s is 24 segments; 9.28 s is 28, which the published program takes for 27.
  EXPECT_EQ(sequence_lengths_of(sound_44k(), 24), sequence_lengths(sound_44k(), Seconds(8)));
  EXPECT_DOUBLE_EQ(duration_of(28).count(), 9.28);
  EXPECT_EQ(sequence_lengths(sound_44k(), Seconds(9.28)).sync, 216);
  EXPECT_EQ(sequence_lengths_of(sound_44k(), 28).sync, 224);
  for (std::int64_t segments = 1; segments < 200; ++segments) {
    const SequenceLengths got = sequence_lengths_of(sound_16k(), segments);
    EXPECT_EQ(got.sync, segments * kSegmentTokens);
    EXPECT_GE(static_cast<double>(got.samples) / 16000, duration_of(segments).count() - 1e-9);
    EXPECT_LT(static_cast<double>(got.samples - 512) / 16000, duration_of(segments).count());
  }
}

TEST(MmaudioConfigs, PublishedOnesHaveNoProblems) {
  for (const FlowConfig& config :
       {small_16k(), small_44k(), medium_44k(), large_44k(), large_44k_v2()})
    EXPECT_TRUE(problems(config).empty());
  EXPECT_TRUE(problems(vae_16k()).empty() && problems(vae_44k()).empty());
  EXPECT_TRUE(problems(bigvgan_16k()).empty() && problems(bigvgan_44k()).empty());
  EXPECT_EQ(hop_of(bigvgan_16k()), sound_16k().hop);
  EXPECT_EQ(hop_of(bigvgan_44k()), sound_44k().hop);
}

TEST(MmaudioConfigs, EveryBrokenRuleIsNamed) {
  FlowConfig flow = small_16k();
  flow.heads = 5;
  flow.latents = 0;
  EXPECT_EQ(problems(flow).size(), 2u);
  EXPECT_THROW(FlowNetwork{flow}, Error);
  MelVaeConfig vae = vae_16k();
  vae.multiples = {1};
  vae.bands = 0;
  EXPECT_EQ(problems(vae).size(), 2u);
  BigVganConfig vocoder = bigvgan_16k();
  vocoder.channels = 100;
  vocoder.block_kernels = {3, 4, 11};
  vocoder.upsample_kernels.pop_back();
  EXPECT_EQ(problems(vocoder).size(), 3u);
}

TEST(MmaudioWeights, HalfOfAPairOfWeightNormIsRefused) {
  const TensorMap lone{{"ups.0.0.weight_v", at::ones({4, 2, 3})}};
  EXPECT_TRUE(test::throws_error([&] { folded_bigvgan_weights(lone); }, ErrorCode::kBadCheckpoint,
                                 "ups.0.0.weight_g"));
  const TensorMap unfit{{"a.weight_v", at::ones({4, 2, 3})}, {"a.weight_g", at::ones({2, 1, 1})}};
  EXPECT_TRUE(test::throws_error([&] { folded_bigvgan_weights(unfit); }, ErrorCode::kBadCheckpoint,
                                 "shapes"));
}

TEST(MmaudioWeights, BothNamesOfWeightNormMeanTheSame) {
  const at::Tensor g = at::rand({4, 1, 1}), v = at::randn({4, 2, 3});
  const auto old = folded_bigvgan_weights({{"a.weight_g", g}, {"a.weight_v", v}});
  const auto late = folded_bigvgan_weights(
      {{"a.parametrizations.weight.original0", g}, {"a.parametrizations.weight.original1", v}});
  ASSERT_EQ(old.size(), 1u);
  EXPECT_TRUE(at::equal(old.at("a.weight"), late.at("a.weight")));
  EXPECT_TRUE(at::allclose(old.at("a.weight").flatten(1).norm(2, 1), g.flatten()));
}

TEST(MmaudioWeights, AGainWithoutItsConvolutionIsRefused) {
  EXPECT_TRUE(test::throws_error(
      [] {
        normalised_vae_weights({{"decoder.learnable_gain", at::scalar_tensor(0.5)}});
      },
      ErrorCode::kBadCheckpoint, "decoder.conv_out.weight"));
  EXPECT_TRUE(test::throws_error(
      [] {
        normalised_vae_weights({{"decoder.conv_out.weight", at::ones({2, 2, 3})}});
      },
      ErrorCode::kBadCheckpoint, "decoder.learnable_gain"));
}

TEST(MmaudioMel, TooFewSamplesAreRefused) {
  EXPECT_TRUE(test::throws_error(
      [] {
        log_mel(at::zeros({1, 100}), mel_frontend_16k());
      },
      ErrorCode::kInvalidInput, "100 samples"));
}

}  // namespace
}  // namespace qingyin::mmaudio
