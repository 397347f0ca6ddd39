// Rules of the transformer, T5 and the tokenizer that need no reference; the numbers are in
// tests/parity.
#include "video_gen/transformer.h"

#include <gtest/gtest.h>

#include "models/t5/t5_encoder.h"
#include "models/tokenizer/t5_tokenizer.h"
#include "tests/support/expect_error.h"
#include "tests/support/near.h"
#include "tests/support/temporary_folder.h"
#include "tests/video_gen/tiny_transformer.h"

namespace qingyin {
namespace {

using test::near;
using test::throws_error;

TEST(TransformerConfig, IsReadAsPublished) {
  const auto c = read_transformer_config(ConfigFile::parse(
      R"({"num_layers": 42, "num_attention_heads": 48, "in_channels": 32, "patch_size_t": 2,
          "patch_bias": false, "ofs_embed_dim": 512, "sample_height": 96, "sample_width": 170,
          "sample_frames": 81, "use_rotary_positional_embeddings": true})",
      "config.json"));
  const CogTransformerConfig wanted = cogvideox_15_5b_i2v();
  EXPECT_EQ(c.width(), wanted.width());
  EXPECT_EQ(c.in_channels, wanted.in_channels);
  EXPECT_EQ(c.ofs_embed_dim, wanted.ofs_embed_dim);
  EXPECT_EQ(c.sample_width, wanted.sample_width);
  EXPECT_EQ(c.patch_size_t, wanted.patch_size_t);
}

TEST(TransformerConfig, NamesEveryBrokenRule) {
  const auto read = [](const char* json) {
    return [json] { read_transformer_config(ConfigFile::parse(json, "config.json")); };
  };
  EXPECT_TRUE(
      throws_error(read(R"({"num_layers": 2})"), ErrorCode::kBadCheckpoint, "num_attention_heads"));
  EXPECT_TRUE(throws_error(read(R"({"num_layers": 0, "num_attention_heads": -1})"),
                           ErrorCode::kBadCheckpoint, "num_layers is 0"));
  EXPECT_TRUE(throws_error(read(R"({"num_layers": 0, "num_attention_heads": -1})"),
                           ErrorCode::kBadCheckpoint, "num_attention_heads is -1"));
  EXPECT_TRUE(
      throws_error(read(R"({"num_layers": 1, "num_attention_heads": 1, "activation_fn": "gelu"})"),
                   ErrorCode::kBadCheckpoint, "activation_fn"));
  EXPECT_TRUE(throws_error(read(R"({"num_layers": "2"})"), ErrorCode::kBadCheckpoint,
                           "expected an integer"));
  EXPECT_TRUE(throws_error(read("[]"), ErrorCode::kBadCheckpoint, "no JSON object"));
}

TEST(Transformer, BuildsAtFullSizeWithoutMemory) {
  // 5.6 billion weights; were they allocated, this would take 22 GB.
  const CogTransformer network(cogvideox_5b_i2v());
  std::int64_t count = 0;
  for (const auto& [name, tensor] : weights_of(*network)) {
    count += tensor.numel();
    EXPECT_EQ(tensor.storage().nbytes(), sizeof(float)) << name;
  }
  EXPECT_EQ(count, 5'625'087'552);
}

TEST(Transformer, RefusesSizesThatDoNotFit) {
  const CogTransformer network = test::tiny_transformer();
  const at::Tensor text = at::randn({1, 7, 12});
  EXPECT_TRUE(throws_error([&] { network->prepare(text, {.frames = 2, .height = 5, .width = 6}); },
                           ErrorCode::kInvalidInput, "multiples of 1, 2 and 2"));
  CogTransformerConfig config = test::tiny_config();
  config.patch_size_t = 2;
  const CogTransformer later = test::tiny_transformer(config);
  EXPECT_TRUE(throws_error([&] { later->prepare(text, {.frames = 3, .height = 4, .width = 6}); },
                           ErrorCode::kInvalidInput, "multiples of 2, 2 and 2"));
  // With patch_size_t a portrait larger than the native size is as good as any.
  EXPECT_NO_THROW(later->prepare(text, {.frames = 2, .height = 16, .width = 4}));
}

TEST(Transformer, RefusesOtherSizesWithStoredPositionsUnlessIgnored) {
  CogTransformerConfig config = test::tiny_config();
  config.use_learned_positional_embeddings = true;
  const CogTransformer network = test::tiny_transformer(config);
  const LatentSize other{.frames = 2, .height = 6, .width = 4};
  const at::Tensor text = at::randn({1, 7, 12});
  EXPECT_TRUE(
      throws_error([&] { network->prepare(text, other); }, ErrorCode::kInvalidInput, "4 x 6"));
  const CogClip clip = network->prepare(text, other, StoredPositions::kIgnored);
  EXPECT_FALSE(clip.added.defined());
  EXPECT_TRUE(throws_error(
      [&] {
        network->prepare(at::randn({1, 6, 12}), {.frames = 2, .height = 4, .width = 6});
      },
      ErrorCode::kInvalidInput, "exactly 7"));
}

TEST(Transformer, SeesEveryTokenOfTheText) {
  // There is no mask: padding, the last rows of the text, moves the picture.
  const CogTransformer network = test::tiny_transformer();
  const LatentSize size{.frames = 2, .height = 4, .width = 6};
  at::manual_seed(2);
  const at::Tensor latents = at::randn({1, 2, 16, 4, 6}), text = at::randn({1, 7, 12});
  const CogStep step = network->step(at::tensor({500}, at::kLong));
  const at::Tensor one = network->forward(latents, network->prepare(text, size), step);
  at::Tensor changed = text.clone();
  changed.select(1, 6).add_(1.0);
  const at::Tensor other = network->forward(latents, network->prepare(changed, size), step);
  EXPECT_GT((one - other).abs().max().item<double>(), 1e-4);
}

TEST(Transformer, RunsInHalfPrecision) {
  CogTransformer network(test::tiny_config()), half(test::tiny_config());
  const TensorMap weights = test::random_weights(*network);
  adopt_weights(*network, weights, at::kFloat);
  adopt_weights(*half, weights, at::kBFloat16);
  const LatentSize size{.frames = 2, .height = 4, .width = 6};
  const at::Tensor latents = at::randn({1, 2, 16, 4, 6}), text = at::randn({1, 7, 12});
  const auto run = [&](const CogTransformer& n) {
    return n->forward(latents, n->prepare(text, size), n->step(at::tensor({500}, at::kLong)));
  };
  EXPECT_EQ(run(half).scalar_type(), at::kBFloat16);
  EXPECT_TRUE(near(run(half), run(network), {.of_rms = 0.1}));
}

TEST(T5, IgnoresTheSecondCopyOfItsEmbedding) {
  const T5Config config{
      .vocab_size = 9, .d_model = 8, .d_kv = 4, .d_ff = 6, .num_layers = 2, .num_heads = 3};
  T5Encoder encoder(config);
  TensorMap weights = test::random_weights(*encoder);
  weights.emplace("encoder.embed_tokens.weight", at::ones({9, 8}));
  EXPECT_NO_THROW(load_t5(encoder, weights, at::kFloat, "a file"));
  EXPECT_TRUE(
      near(weights_of(*encoder).at("shared.weight"), weights.at("shared.weight"), test::kExact));
  weights.emplace("decoder.weight", at::ones({1}));
  EXPECT_TRUE(throws_error([&] { load_t5(encoder, weights, at::kFloat, "a file"); },
                           ErrorCode::kBadCheckpoint, "unexpected  decoder.weight"));
}

TEST(T5, RefusesOtherKindsOfT5) {
  const auto read = [] {
    read_t5_config(ConfigFile::parse(R"({"vocab_size": 9, "d_model": 8, "d_kv": 4, "d_ff": 6,
        "num_layers": 2, "num_heads": 3, "feed_forward_proj": "relu"})",
                                     "config.json"));
  };
  EXPECT_TRUE(throws_error(read, ErrorCode::kBadCheckpoint, "gated-gelu"));
}

TEST(T5Tokenizer, RefusesFilesThatAreNoModel) {
  const test::TemporaryFolder folder;
  EXPECT_TRUE(throws_error([&] { T5Tokenizer(folder / "spiece.model"); }, ErrorCode::kModelMissing,
                           "spiece.model"));
  const auto refused = [&](const char* name, std::string_view bytes, const char* words) {
    const auto path = folder.write(name, bytes);
    return throws_error([&] { const T5Tokenizer tokenizer(path); }, ErrorCode::kBadCheckpoint,
                        words);
  };
  EXPECT_TRUE(refused("empty", "", "sentencepiece"));
  EXPECT_TRUE(refused("garbage", "\x08\xff\xff not a model", "sentencepiece"));
  EXPECT_TRUE(
      refused("pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git-lfs"));
}

}  // namespace
}  // namespace qingyin
