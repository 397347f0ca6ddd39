#include "video_gen/vae.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

#include "models/checkpoint/load_weights.h"
#include "tests/support/expect_error.h"
#include "tests/support/near.h"

namespace qingyin::test {
namespace {

CogVaeConfig small_vae() {
  return {.block_out_channels = {4, 8, 8, 12},
          .layers_per_block = 1,
          .norm_num_groups = 2,
          .sample_height = 64,
          .sample_width = 96,
          .scaling_factor = 0.7};
}

void fill(torch::nn::Module& network) {
  at::manual_seed(7);
  TensorMap weights;
  for (const auto& [name, tensor] : weights_of(network))
    weights.emplace(name, 0.3 * at::randn(tensor.sizes()));
  adopt_weights(network, weights, at::kFloat);
}

// What does not divide joins the first batch, and a clip shorter than a batch is one.
TEST(FrameBatches, TheRemainderComesFirst) {
  using Batches = std::vector<FrameBatch>;
  EXPECT_EQ(frame_batches(1, 8), (Batches{{0, 1}}));
  EXPECT_EQ(frame_batches(7, 8), (Batches{{0, 7}}));
  EXPECT_EQ(frame_batches(17, 8), (Batches{{0, 9}, {9, 8}}));
  EXPECT_EQ(frame_batches(13, 2), (Batches{{0, 3}, {3, 2}, {5, 2}, {7, 2}, {9, 2}, {11, 2}}));
  EXPECT_EQ(frame_batches(4, 2), (Batches{{0, 2}, {2, 2}}));
}

TEST(FrameBatches, AnEvenNumberOfLatentsDecodesToFourTimesAsManyFrames) {
  EXPECT_EQ(decoded_frames(cogvideox_5b_vae(), 1), 1);
  EXPECT_EQ(decoded_frames(cogvideox_5b_vae(), 13), 49);
  EXPECT_EQ(decoded_frames(cogvideox_5b_vae(), 4), 16);
}

/// The causal convolution by its definition: all frames with the first one twice in front.
at::Tensor plain_conv(const VaeCausalConv& conv, const at::Tensor& clip) {
  const TensorMap weights = weights_of(*conv);
  const at::Tensor first = clip.narrow(2, 0, 1);
  return at::conv3d(at::cat({first, first, clip}, 2), weights.at("conv.weight"),
                    weights.at("conv.bias"), /*stride=*/1, /*padding=*/{0, 1, 1});
}

// Frame by frame and batch by batch, with frames that share their memory, and large enough that
// oneDNN's adding convolution is taken: each must be the convolution of the whole clip.
TEST(VaeCausalConv, FrameByFrameGivesTheWholeClip) {
  const at::NoGradGuard no_gradient;
  for (const std::int64_t side : {5, 96}) {
    VaeCausalConv conv(8, 6);
    fill(*conv);
    VaeFrames frames = frames_of(at::randn({1, 8, 7, side, side}));
    frames[2] = frames[1];
    frames[4] = frames[3];
    frames[5] = frames[3];
    const at::Tensor whole = plain_conv(conv, clip_of_frames(frames));
    VaeCache cache;
    VaeFrames got = conv->forward({frames.begin(), frames.begin() + 3}, cache);
    cache.rewind();
    for (const at::Tensor& frame : conv->forward({frames.begin() + 3, frames.end()}, cache))
      got.push_back(frame);
    EXPECT_TRUE(near(clip_of_frames(got), whole, kFloat32Cpu)) << side;
  }
}

// Short numbers are summed in one convolution, not rounded after each frame.
TEST(VaeCausalConv, InBfloat16IsAsExactAsTheWholeConvolution) {
  const at::NoGradGuard no_gradient;
  VaeCausalConv conv(32, 8), exact(32, 8);
  fill(*exact);
  adopt_weights(*conv, weights_of(*exact), at::kBFloat16);
  const at::Tensor clip = at::randn({1, 32, 5, 24, 24});
  VaeCache cache;
  const at::Tensor got =
      clip_of_frames(conv->forward(frames_of(clip.to(at::kBFloat16)), cache)).to(at::kFloat);
  EXPECT_TRUE(near(got, plain_conv(exact, clip), {.of_rms = 0.02}));
}

// The published tiles: 25 x 36 latents from one to the next, blended over 40 x 72 pixels.
TEST(VaeTiles, AreThePublishedOnes) {
  const CogVaeConfig config = cogvideox_5b_vae();
  const TileGrid grid = decoder_grid(config, usual_tiling(config));
  EXPECT_EQ(grid.rows, (TileSide{.tile = 30, .step = 25, .blend = 40, .keep = 200}));
  EXPECT_EQ(grid.columns, (TileSide{.tile = 45, .step = 36, .blend = 72, .keep = 288}));
  const TileGrid seamless = seamless_decoder_grid(config);
  EXPECT_EQ(seamless.rows, grid.rows);
  EXPECT_EQ(seamless.columns, grid.columns);
}

// Truncated products can leave gaps; the grid that a run uses must not, for any size.
TEST(VaeTiles, SeamlessTilesCoverEveryPixelOnce) {
  const CogVaeConfig config = small_vae();
  const TileGrid grid = seamless_decoder_grid(config);
  for (std::int64_t rows = 1; rows <= 13; ++rows) {
    const at::Tensor latents = at::zeros({1, 1, 1, rows, 15});
    at::Tensor seen = at::zeros({1, 1, 1, 8 * rows, 8 * 15});
    for_each_tile(
        latents, grid,
        [](const at::Tensor& tile) {
          return at::ones({1, 1, 1, 8 * tile.size(3), 8 * tile.size(4)});
        },
        [&](const at::Tensor& part, const VideoPlace& place) {
          seen.narrow(3, place.top, part.size(3)).narrow(4, place.left, part.size(4)).add_(part);
        });
    EXPECT_TRUE(near(seen, at::ones_like(seen), kExact)) << rows << " rows";
  }
}

TEST(VaeTiles, RefuseAnOverlapThatLeavesNothing) {
  TilingRequest request{.height = 8, .width = 8, .overlap_height = 0.9, .overlap_width = 0.2};
  EXPECT_TRUE(throws_error([&] { decoder_grid(cogvideox_5b_vae(), request); }, ErrorCode::kUsage,
                           "overlap"));
}

// Bytes are what the reference makes of them: 2 (x / 255) - 1.
TEST(CogVae, EncodesBytesAsTheirValues) {
  CogVae vae(small_vae());
  fill(*vae);
  const at::Tensor bytes = at::randint(0, 256, {1, 3, 5, 16, 16}, at::kByte);
  const at::Tensor values = 2 * (bytes.to(at::kFloat) / 255) - 1;
  EXPECT_TRUE(near(vae->encode(bytes).mean, vae->encode(values).mean, kExact));
}

TEST(CogVaeConfig, NamesEveryBrokenRule) {
  CogVaeConfig config = small_vae();
  config.norm_num_groups = 5;
  config.scaling_factor = 0;
  config.temporal_compression_ratio = 3;
  const auto found = problems(config);
  const std::string all = std::accumulate(found.begin(), found.end(), std::string());
  for (const char* field : {"block_out_channels", "scaling_factor", "temporal_compression_ratio"})
    EXPECT_NE(all.find(field), std::string::npos) << field;
}

TEST(CogVaeConfig, RefusesPartsThatItDoesNotHave) {
  EXPECT_TRUE(throws_error(
      [] {
        read_vae_config(ConfigFile::parse(
            R"({"block_out_channels": [4, 8], "scaling_factor": 1, "use_quant_conv": true})", "c"));
      },
      ErrorCode::kBadCheckpoint, "use_quant_conv"));
}

}  // namespace
}  // namespace qingyin::test
