// LoRA files: their spellings and scales, and what is refused. Outputs are in tests/parity.
#include "video_gen/lora.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/near.h"
#include "tests/support/temporary_folder.h"
#include "tests/video_gen/tiny_transformer.h"
#include "video_gen/lora_scale.h"

namespace qingyin {
namespace {

using test::near;
using test::throws_error;

constexpr char kModule[] = "transformer_blocks.1.attn1.to_out.0";

class LoraFile : public testing::Test {
 protected:
  Lora read(const TensorMap& tensors, const std::map<std::string, std::string>& metadata = {}) {
    write_safetensors(folder_ / "lora.safetensors", tensors, metadata, Overwrite::kYes);
    return read_lora(folder_ / "lora.safetensors");
  }

  test::TemporaryFolder folder_;
  at::Tensor down_ = at::randn({2, 32}), up_ = at::randn({32, 2});
};

at::Tensor weight_of(const CogTransformer& network) {
  return weights_of(*network).at(std::string(kModule) + ".weight");
}

TEST_F(LoraFile, IsReadInEverySpelling) {
  const std::pair<const char*, const char*> spellings[] = {
      {".lora_A.weight", ".lora_B.weight"},
      {".lora.down.weight", ".lora.up.weight"},
      {".lora_down.weight", ".lora_up.weight"}};
  for (const auto& [down, up] : spellings)
    for (const char* prefix : {"", "transformer.", "base_model.model."}) {
      const std::string name = std::string(prefix) + kModule;
      CogTransformer network = test::tiny_transformer();
      const at::Tensor before = weight_of(network).clone();
      const LoraReport report =
          merge_lora(*network, read({{name + down, down_}, {name + up, up_}}), 0.5);
      EXPECT_EQ(report.matched, std::vector<std::string>{kModule});
      EXPECT_EQ(report.largest_scale, 0.5);
      EXPECT_TRUE(
          near(weight_of(network), before + 0.5 * at::matmul(up_, down_), {.absolute = 1e-5}))
          << name << down;
    }
}

TEST_F(LoraFile, ChangesAFusedNetworkToo) {
  const std::string name = "transformer_blocks.0.attn1.to_v";
  const Lora lora = read({{name + ".lora_A.weight", down_}, {name + ".lora_B.weight", up_}});
  CogTransformer plain = test::tiny_transformer(), fused = test::tiny_transformer();
  fused->fuse();
  merge_lora(*plain, lora, 1);
  merge_lora(*fused, lora, 1);
  const at::Tensor latents = at::randn({1, 2, 16, 4, 6}), text = at::randn({1, 7, 12});
  const auto run = [&](const CogTransformer& n) {
    return n->forward(latents, n->prepare(text, {.frames = 2, .height = 4, .width = 6}),
                      n->step(at::tensor({3}, at::kLong)));
  };
  EXPECT_TRUE(near(run(fused), run(plain), {.of_rms = 1e-5}));
}

TEST_F(LoraFile, ReportsWhatHasNoPlace) {
  const std::string name = kModule;
  CogTransformer network = test::tiny_transformer();
  const LoraReport report = merge_lora(*network,
                                       read({{name + ".lora_A.weight", down_},
                                             {name + ".lora_B.weight", up_},
                                             {"text_encoder.q.lora_A.weight", down_},
                                             {"text_encoder.q.lora_B.weight", up_},
                                             {"something.else", at::ones({1})}}),
                                       1);
  EXPECT_EQ(report.matched.size(), 1U);
  EXPECT_EQ(report.unmatched, (std::vector<std::string>{"text_encoder.q", "something.else"}));
}

TEST_F(LoraFile, OfAnotherModelIsRefusedAndChangesNothing) {
  CogTransformer network = test::tiny_transformer();
  const at::Tensor before = weight_of(network).clone();
  const Lora stranger = read({{"unet.a.lora_A.weight", down_}, {"unet.a.lora_B.weight", up_}});
  EXPECT_TRUE(throws_error([&] { merge_lora(*network, stranger, 1); }, ErrorCode::kBadCheckpoint,
                           "changes nothing"));
  const std::string name = kModule;
  const Lora wide = read({{name + ".lora_A.weight", at::ones({2, 64})},
                          {name + ".lora_B.weight", at::ones({64, 2})},
                          {"transformer_blocks.0.attn1.to_q.lora_A.weight", down_},
                          {"transformer_blocks.0.attn1.to_q.lora_B.weight", up_}});
  EXPECT_TRUE(throws_error([&] { merge_lora(*network, wide, 1); }, ErrorCode::kBadCheckpoint,
                           "changes 64 x 64, the model has 32 x 32"));
  EXPECT_TRUE(near(weight_of(network), before, test::kExact));
}

TEST_F(LoraFile, WithHalvesThatDoNotFitIsRefused) {
  EXPECT_TRUE(throws_error(
      [&] {
        read({{"a.lora_A.weight", down_}});
      },
      ErrorCode::kBadCheckpoint, "only one half"));
  EXPECT_TRUE(throws_error(
      [&] {
        read({{"a.lora_A.weight", down_}, {"a.lora_B.weight", at::ones({32, 3})}});
      },
      ErrorCode::kBadCheckpoint, "do not fit"));
  EXPECT_TRUE(throws_error([&] { read_lora(folder_ / "none.safetensors"); },
                           ErrorCode::kModelMissing, "none.safetensors"));
}

TEST_F(LoraFile, ScalesByItsMetadata) {
  const TensorMap tensors{{"a.to_q.lora_A.weight", down_},
                          {"a.to_q.lora_B.weight", up_},
                          {"b.to_v.lora_A.weight", at::ones({8, 32})},
                          {"b.to_v.lora_B.weight", at::ones({32, 8})}};
  const auto scales = [&](const char* metadata) {
    const Lora lora = read(tensors, {{"lora_adapter_metadata", metadata}});
    return std::pair(lora.pairs.at("a.to_q").scale, lora.pairs.at("b.to_v").scale);
  };
  EXPECT_EQ(scales(R"({"transformer.r": 2, "transformer.lora_alpha": 4,
                       "transformer.rank_pattern": {"b.to_v": 8}})"),
            std::pair(2.0, 0.5));
  EXPECT_EQ(scales(R"({"transformer.r": 2, "transformer.lora_alpha": 4,
                       "transformer.rank_pattern": {"^b.to_v": 8},
                       "transformer.alpha_pattern": {"to_v": 16}})"),
            std::pair(2.0, 2.0));
  EXPECT_NEAR(scales(R"({"transformer.r": 2, "transformer.lora_alpha": 4,
                         "transformer.rank_pattern": {"to_v": 8},
                         "transformer.use_rslora": true})")
                  .second,
              4 / std::sqrt(8.0), 1e-12);
  EXPECT_TRUE(throws_error([&] { scales(R"({"transformer.r": 2, "transformer.lora_alpha": 4})"); },
                           ErrorCode::kBadCheckpoint, "rank"));
  EXPECT_TRUE(throws_error([&] { scales("{"); }, ErrorCode::kBadCheckpoint, "no JSON object"));
  EXPECT_EQ(read(tensors).pairs.at("b.to_v").scale, 1.0);
}

TEST(LoraPattern, NamesAModuleByItsEndOrItsStart) {
  EXPECT_TRUE(names_module("to_q", "transformer_blocks.0.attn1.to_q"));
  EXPECT_TRUE(names_module("attn1.to_out.0", "transformer_blocks.0.attn1.to_out.0"));
  EXPECT_TRUE(names_module("^transformer_blocks.0.*", "transformer_blocks.0.attn1.to_q"));
  EXPECT_FALSE(names_module("^to_q", "transformer_blocks.0.attn1.to_q"));
  EXPECT_FALSE(names_module("o_q", "transformer_blocks.0.attn1.to_q"));
  EXPECT_FALSE(names_module("to_q", "transformer_blocks.0.attn1.to_q.0"));
  EXPECT_TRUE(names_module(R"(blocks\.1.to_q)", "blocks.1.to_q"));
  EXPECT_FALSE(names_module(R"(blocks\.1)", "blocks_1"));
}

}  // namespace
}  // namespace qingyin
