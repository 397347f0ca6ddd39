// The limit of +-256 behind the mel VAE's blocks, which trained weights never reach.
#include "audio_gen/mmaudio/mel_vae.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <string>

#include "models/checkpoint/load_weights.h"

namespace qingyin::mmaudio {
namespace {

constexpr std::int64_t kBands = 2, kFrames = 12;
constexpr double kLouder = 1e3;

/// A network in which channels pass through every block as they are, and one block adds very large
/// numbers to the first two of them, `kLouder` times as large to the first. Those numbers are only
/// equal where the block's result is limited.
MelVae network_with_a_loud_block(const VaeParts& parts, const std::string& loud) {
  MelVae network(MelVaeConfig{.bands = kBands, .latents = kBands, .hidden = 4}, parts);
  for (auto& [name, weight] : weights_of(*network)) {
    weight.fill_(name == "data_std" ? 1 : 0);
    if (!name.ends_with(".weight") || name.find(".attn_1.") != std::string::npos) continue;
    const bool is_loud = name == loud + ".conv2.weight";
    const bool is_branch =
        name.find(".conv2.") != std::string::npos && name.find(".block") != std::string::npos;
    if (is_branch && !is_loud) continue;
    const std::int64_t middle = weight.size(2) / 2;
    if (name.find("conv_in") != std::string::npos) {
      weight.select(2, middle).fill_(1);
    } else if (is_loud) {
      weight.select(2, middle).select(0, 0).fill_(1e3 * kLouder);
      weight.select(2, middle).select(0, 1).fill_(1e3);
    } else {
      for (std::int64_t c = 0; c < std::min(weight.size(0), weight.size(1)); ++c)
        weight[c][c][middle].fill_(1);
    }
  }
  return network;
}

/// The first band over the second, in the middle of the sound.
double balance(const at::Tensor& x) {
  return (x[0][x.size(1) / 2][0] / x[0][x.size(1) / 2][1]).item<double>();
}

class LoudBlock : public testing::TestWithParam<const char*> {};
class LoudDecoderBlock : public LoudBlock {};
class LoudEncoderBlock : public LoudBlock {};

TEST_P(LoudDecoderBlock, IsLimited) {
  const at::NoGradGuard no_gradient;
  MelVae network = network_with_a_loud_block({}, std::string("decoder.") + GetParam());
  EXPECT_NEAR(balance(network->decode(at::ones({1, kFrames, kBands}))), 1, 1e-3);
}

TEST_P(LoudEncoderBlock, IsLimited) {
  const at::NoGradGuard no_gradient;
  MelVae network = network_with_a_loud_block({.has_encoder = true, .has_decoder = false},
                                             std::string("encoder.") + GetParam());
  EXPECT_NEAR(balance(network->encode(at::ones({1, kFrames, kBands})).mean), 1, 1e-3);
}

TEST(QuietBlocks, AreNotLimited) {
  const at::NoGradGuard no_gradient;
  MelVae network = network_with_a_loud_block({}, "decoder.mid.block_1");
  // Nothing stands behind this block but the attention: the reference limits what leaves `mid`.
  EXPECT_GT(balance(network->decode(at::ones({1, kFrames, kBands}))), 10);
}

TEST(LoudestLevel, Is256) {
  const at::NoGradGuard no_gradient;
  MelVae network = network_with_a_loud_block({}, "decoder.up.0.block.2");
  const at::Tensor mel = network->decode(at::ones({1, kFrames, kBands}));
  EXPECT_NEAR(mel.max().item<double>(), 256 / 0.596, 1e-3);
}

INSTANTIATE_TEST_SUITE_P(All, LoudDecoderBlock,
                         testing::Values("mid.block_2", "up.2.block.0", "up.2.block.2",
                                         "up.1.block.1", "up.1.block.2", "up.0.block.0",
                                         "up.0.block.2"));
INSTANTIATE_TEST_SUITE_P(All, LoudEncoderBlock,
                         testing::Values("down.0.block.0", "down.0.block.1", "down.1.block.1",
                                         "down.2.block.0", "down.2.block.1", "mid.block_2"));

}  // namespace
}  // namespace qingyin::mmaudio
