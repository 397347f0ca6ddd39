// The three networks behind plain vectors, with tiny random weights in the published layout.
#include "audio_gen/mmaudio/mmaudio_networks.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "audio_gen/mmaudio/bigvgan.h"
#include "audio_gen/mmaudio/flow_network.h"
#include "audio_gen/mmaudio/mel_vae.h"
#include "models/checkpoint/load_weights.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::mmaudio {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLatents = 30, kPictures = 7, kSyncTokens = 16;

ModelConfig tiny() {
  return {.sound = sound_16k(),
          .flow = {.latents = 20,
                   .clip_size = 24,
                   .sync_size = 20,
                   .text_size = 28,
                   .dim = 32,
                   .heads = 2,
                   .joint_blocks = 2,
                   .fused_blocks = 1},
          .vae = {.bands = 80, .latents = 20, .hidden = 8},
          .vocoder = {.bands = 80,
                      .channels = 64,
                      .upsample_rates = {4, 4, 2, 2, 2, 2},
                      .upsample_kernels = {8, 8, 4, 4, 4, 4},
                      .has_final_bias = true,
                      .has_tanh = true}};
}

TensorMap random_weights(const torch::nn::Module& network) {
  TensorMap weights;
  for (const auto& [name, tensor] : weights_of(network))
    weights.emplace(name, at::randn(tensor.sizes()) * 0.2);
  return weights;
}

/// Weight files as they are published: the vocoder's in a wrapper, the flow's with its tables.
struct Files {
  Files() {
    at::manual_seed(7);
    const ModelConfig config = tiny();
    TensorMap flow = random_weights(*FlowNetwork(config.flow));
    for (const std::string& name : ignored_flow_keys()) flow.emplace(name, at::ones({3}));
    TensorMap vae = random_weights(*MelVae(config.vae, VaeParts{true, true}));
    for (const char* half : {"encoder", "decoder"})
      vae.emplace(std::string(half) + ".learnable_gain", at::scalar_tensor(0.3));
    TensorMap vocoder;
    for (const auto& [name, tensor] : random_weights(*BigVgan(config.vocoder)))
      vocoder.emplace("generator." + name, tensor);
    write(paths.flow, flow);
    write(paths.vae, vae);
    write(paths.vocoder, vocoder);
  }

  static void write(const fs::path& path, const TensorMap& tensors) {
    write_safetensors(path, tensors, {}, Overwrite::kYes);
  }

  test::TemporaryFolder folder;
  WeightFiles paths{folder / "flow.safetensors", folder / "vae.safetensors",
                    folder / "vocoder.safetensors"};
};

const Files& files() {
  static const Files made;
  return made;
}

std::vector<float> random_values(std::int64_t count) {
  const at::Tensor values = at::randn({count});
  return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + count};
}

struct Inputs {
  std::vector<float> clip = random_values(kPictures * 24), sync = random_values(kSyncTokens * 20),
                     text = random_values(77 * 28), negative = random_values(77 * 28),
                     noise = random_values(kLatents * 20);

  WindowFeatures features() const { return {clip, sync, text, negative}; }
};

const Inputs& inputs() {
  static const Inputs made;
  return made;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  const at::Tensor x = at::tensor(a), y = at::tensor(b);
  return ((x - y).norm() / y.norm()).item<double>();
}

TEST(MmaudioNetworks, NamesOfVariantsAreBothWays) {
  for (const char* name : {"small_16k", "small_44k", "medium_44k", "large_44k", "large_44k_v2"}) {
    const auto variant = variant_of(name);
    ASSERT_TRUE(variant.has_value()) << name;
    EXPECT_EQ(name_of(*variant), name);
    EXPECT_TRUE(problems(model_of(*variant)).empty()) << name;
  }
  EXPECT_FALSE(variant_of("large_16k").has_value());
}

TEST(MmaudioNetworks, SoundComesOutOfNoise) {
  Networks networks(tiny(), files().paths);
  const auto conditions = networks.prepare(inputs().features(), kLatents);
  const auto latents = networks.sample(inputs().noise, conditions, {.steps = 3});
  EXPECT_EQ(latents.size(), static_cast<std::size_t>(kLatents * 20));
  const auto mel = networks.to_mel(latents);
  EXPECT_EQ(mel.size(), static_cast<std::size_t>(2 * kLatents * 80));
  const auto samples = networks.to_samples(mel);
  EXPECT_EQ(samples.size(), static_cast<std::size_t>(2 * kLatents * 256));
  EXPECT_EQ(latents, networks.sample(inputs().noise, conditions, {.steps = 3}));
  EXPECT_EQ(samples, networks.to_samples(mel));
}

TEST(MmaudioNetworks, StagesAreLoadedAndReleasedInTurn) {
  Networks networks(tiny(), files().paths);
  EXPECT_FALSE(networks.is_loaded(Stage::kFlow));
  const auto conditions = networks.prepare(inputs().features(), kLatents);
  EXPECT_TRUE(networks.is_loaded(Stage::kFlow));
  EXPECT_FALSE(networks.is_loaded(Stage::kVae));
  const auto before = networks.sample(inputs().noise, conditions, {.steps = 2});
  networks.release(Stage::kFlow);
  EXPECT_FALSE(networks.is_loaded(Stage::kFlow));
  EXPECT_EQ(before, networks.sample(inputs().noise, conditions, {.steps = 2}));
  networks.load(Stage::kVocoder);
  EXPECT_TRUE(networks.is_loaded(Stage::kVocoder));
}

TEST(MmaudioNetworks, ALoopOfOnesOwnGivesWhatSampleGives) {
  Networks networks(tiny(), files().paths);
  const auto conditions = networks.prepare(inputs().features(), kLatents);
  constexpr int kSteps = 4;
  std::vector<float> x = inputs().noise;
  for (int step = 0; step < kSteps; ++step) {
    const auto v = networks.velocity(x, conditions, static_cast<double>(step) / kSteps, 4.5);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += v[i] / kSteps;
  }
  const auto expected = networks.sample(inputs().noise, conditions, {.steps = kSteps});
  EXPECT_LT(distance(networks.denormalised(x), expected), 1e-5);
}

TEST(MmaudioNetworks, TheWatcherSeesAndChangesTheLatents) {
  Networks networks(tiny(), files().paths);
  const auto conditions = networks.prepare(inputs().features(), kLatents);
  std::vector<std::int64_t> seen;
  const std::vector<float> wanted(static_cast<std::size_t>(kLatents * 20), 0.25f);
  const auto latents = networks.sample(inputs().noise, conditions, {.steps = 3},
                                       [&](std::int64_t done, std::span<float> x) {
                                         seen.push_back(done);
                                         std::copy(wanted.begin(), wanted.end(), x.begin());
                                         return true;
                                       });
  EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(latents, networks.denormalised(wanted));
  EXPECT_TRUE(test::throws_error(
      [&] {
        networks.sample(inputs().noise, conditions, {.steps = 3},
                        [](std::int64_t, std::span<float>) { return false; });
      },
      ErrorCode::kCancelled, "1 of 3"));
}

TEST(MmaudioNetworks, GuidanceAndNegativeTextMatter) {
  Networks networks(tiny(), files().paths);
  WindowFeatures features = inputs().features();
  const auto with = networks.prepare(features, kLatents);
  features.negative_text = {};
  const auto without = networks.prepare(features, kLatents);
  const auto velocity = [&](const WindowConditions& c, double guidance) {
    return networks.velocity(inputs().noise, c, 0.3, guidance);
  };
  EXPECT_GT(distance(velocity(with, 4.5), velocity(without, 4.5)), 1e-3);
  EXPECT_GT(distance(velocity(with, 4.5), velocity(with, 2)), 1e-3);
  EXPECT_LT(distance(velocity(with, 0.5), velocity(without, 0.5)), 1e-6);
  EXPECT_LT(distance(velocity(with, 1), velocity(with, 0.5)), 1e-5);
}

TEST(MmaudioNetworks, Bfloat16IsNearFloat32) {
  Networks exact(tiny(), files().paths);
  Networks half(tiny(), files().paths, {.precision = FlowPrecision::kBfloat16});
  const auto a =
      exact.velocity(inputs().noise, exact.prepare(inputs().features(), kLatents), 0.5, 4.5);
  const auto b =
      half.velocity(inputs().noise, half.prepare(inputs().features(), kLatents), 0.5, 4.5);
  EXPECT_LT(distance(b, a), 0.1);
  EXPECT_GT(distance(b, a), 1e-5);
}

TEST(MmaudioNetworks, WhatIsNotSeenIsTheFeatureOfNothing) {
  at::manual_seed(3);
  FlowNetwork flow(tiny().flow);
  const at::NoGradGuard no_gradient;
  for (auto& [name, tensor] : weights_of(*flow)) tensor.normal_(0, 0.2);
  const TensorMap weights = weights_of(*flow);
  const at::Tensor seen = at::tensor({1, 0, 1, 0, 0}).ne(0);
  const at::Tensor pictures = at::randn({1, 5, 24}), tokens = at::randn({1, 5, 20});
  const at::Tensor clip = flow->clip_where(seen, pictures), sync = flow->sync_where(seen, tokens);
  for (std::int64_t i = 0; i < 5; ++i) {
    const bool is_seen = seen[i].item<bool>();
    EXPECT_TRUE(
        clip[0][i].equal(is_seen ? pictures[0][i] : weights.at("empty_clip_feat").flatten()));
    EXPECT_TRUE(sync[0][i].equal(is_seen ? tokens[0][i] : weights.at("empty_sync_feat").flatten()));
  }

  Networks networks(tiny(), files().paths);
  const std::vector<std::uint8_t> no_picture(kPictures), no_token(kSyncTokens);
  WindowFeatures features = inputs().features();
  const auto velocity = [&](const WindowConditions& c) {
    return networks.velocity(inputs().noise, c, 0.3, 4.5);
  };
  const auto whole = velocity(networks.prepare(features, kLatents));
  features.clip_seen = no_picture, features.sync_seen = no_token;
  const auto nothing = velocity(networks.prepare(features, kLatents));
  EXPECT_EQ(nothing,
            velocity(networks.prepare_unseen(
                inputs().text, inputs().negative,
                {.latents = kLatents, .clip = kPictures, .sync = kSyncTokens, .samples = 0})));
  std::vector<std::uint8_t> one_picture(kPictures);
  one_picture[2] = 1;
  features.clip_seen = one_picture;
  const auto part = velocity(networks.prepare(features, kLatents));
  EXPECT_GT(distance(part, nothing), 1e-5);
  EXPECT_GT(distance(part, whole), 1e-5);
  features.clip_seen = std::span(one_picture).first(3);
  EXPECT_TRUE(test::throws_error([&] { networks.prepare(features, kLatents); },
                                 ErrorCode::kInvalidInput, "picture"));
}

TEST(MmaudioNetworks, WeightsInEightBitsAreNearFullOnes) {
  Networks exact(tiny(), files().paths);
  for (const auto precision : {FlowPrecision::kFloat32, FlowPrecision::kBfloat16}) {
    Networks small(tiny(), files().paths, {.precision = precision, .weights = FlowWeights::kInt8});
    const auto a =
        exact.velocity(inputs().noise, exact.prepare(inputs().features(), kLatents), 0.5, 1);
    const auto b =
        small.velocity(inputs().noise, small.prepare(inputs().features(), kLatents), 0.5, 1);
    EXPECT_LT(distance(b, a), 0.1);
    EXPECT_GT(distance(b, a), 1e-4);
  }
  at::manual_seed(3);
  FlowNetwork flow(tiny().flow);
  load_weights(*flow, random_weights(*flow));
  const auto shrink = flow->int8_converter();
  for (const auto& item : weights_of(*flow)) shrink(item.first);
  for (const auto& [name, tensor] : weights_of(*flow)) {
    const bool is_in_block =
        (name.starts_with("joint_blocks") || name.starts_with("fused_blocks")) &&
        name.ends_with(".weight") && !name.ends_with("_norm.weight");
    const bool is_gated = name.ends_with(".w1.weight") || name.ends_with(".w2.weight") ||
                          name.ends_with(".w3.weight");
    const bool is_layer = is_in_block || is_gated;
    EXPECT_EQ(tensor.numel() == 0, is_layer) << name;
  }
}

TEST(MmaudioNetworks, EveryMissingFileIsNamed) {
  WeightFiles paths = files().paths;
  paths.vae = "/nowhere/v1-16.pth";
  paths.vocoder = "/nowhere/best_netG.pt";
  for (const char* name : {"v1-16.pth", "best_netG.pt"})
    EXPECT_TRUE(
        test::throws_error([&] { Networks(tiny(), paths); }, ErrorCode::kModelMissing, name));
}

TEST(MmaudioNetworks, WrongTensorsAreNamed) {
  ModelConfig wider = tiny();
  wider.flow.clip_size = 25;
  Networks networks(wider, files().paths);
  EXPECT_TRUE(test::throws_error([&] { networks.load(Stage::kFlow); }, ErrorCode::kBadCheckpoint,
                                 "clip_input_proj.0.weight"));
  Networks swapped(tiny(), {files().paths.vae, files().paths.flow, files().paths.vocoder});
  EXPECT_TRUE(test::throws_error([&] { swapped.load(Stage::kFlow); }, ErrorCode::kBadCheckpoint,
                                 "decoder.conv_in.weight"));
}

TEST(MmaudioNetworks, FeaturesOfAWrongSizeAreRefused) {
  Networks networks(tiny(), files().paths);
  WindowFeatures features = inputs().features();
  features.text = features.text.first(76 * 28);
  EXPECT_TRUE(test::throws_error([&] { networks.prepare(features, kLatents); },
                                 ErrorCode::kInvalidInput, "76 tokens"));
  features = inputs().features();
  features.sync = features.sync.first(12 * 20);
  EXPECT_TRUE(test::throws_error([&] { networks.prepare(features, kLatents); },
                                 ErrorCode::kInvalidInput, "sync features"));
  features = inputs().features();
  features.clip = {};
  EXPECT_TRUE(test::throws_error([&] { networks.prepare(features, kLatents); },
                                 ErrorCode::kInvalidInput, "picture features"));
  EXPECT_TRUE(test::throws_error([&] { networks.to_samples(std::vector<float>(81)); },
                                 ErrorCode::kInvalidInput, "81 values"));
}

}  // namespace
}  // namespace qingyin::mmaudio
