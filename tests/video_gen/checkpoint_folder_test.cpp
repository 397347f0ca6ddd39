// Checkpoints in the diffusers layout: what is read, and what the messages say is missing.
#include "video_gen/checkpoint_folder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "models/checkpoint/mapped_tensors.h"
#include "tests/support/expect_error.h"
#include "tests/support/near.h"
#include "tests/support/temporary_folder.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;
using test::near;
using test::throws_error;

class Folder : public testing::Test {
 protected:
  Folder() {
    test::put(root_ / "model_index.json",
              R"({"_class_name": "CogVideoXPipeline", "vae": ["diffusers", "AutoencoderKL"]})");
    fs::create_directory(root_ / "transformer");
    fs::create_directory(root_ / "text_encoder");
  }
  fs::path in_transformer(const char* name) const { return root_ / "transformer" / name; }
  void write(const fs::path& path, const TensorMap& tensors) {
    write_safetensors(path, tensors, {}, Overwrite::kYes);
  }

  test::TemporaryFolder root_;
  const at::Tensor a_ = at::randn({3, 5}), b_ = at::randn({4}).to(at::kBFloat16);
};

TEST_F(Folder, GivesClassesConfigsAndWeights) {
  test::put(in_transformer("config.json"), R"({"num_layers": 3})");
  write(in_transformer("diffusion_pytorch_model.safetensors"), {{"a", a_}, {"b", b_}});
  const CheckpointFolder folder(root_.path());
  EXPECT_EQ(folder.pipeline(), "CogVideoXPipeline");
  EXPECT_EQ(folder.class_of("vae"), "AutoencoderKL");
  EXPECT_EQ(folder.config("transformer").integer("num_layers"), 3);
  const TensorMap tensors = folder.tensors("transformer");
  EXPECT_TRUE(near(tensors.at("a"), a_, test::kExact));
  EXPECT_EQ(tensors.at("b").scalar_type(), at::kBFloat16);
  EXPECT_TRUE(near(tensors.at("b"), b_, test::kExact));
}

TEST_F(Folder, JoinsShards) {
  write(root_ / "text_encoder/model-1.safetensors", {{"a", a_}});
  write(root_ / "text_encoder/model-2.safetensors", {{"b", b_}});
  test::put(root_ / "text_encoder/model.safetensors.index.json",
            R"({"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}})");
  const CheckpointFolder folder(root_.path());
  EXPECT_EQ(folder.tensors("text_encoder").size(), 2U);
  fs::remove(root_ / "text_encoder/model-2.safetensors");
  EXPECT_TRUE(throws_error([&] { folder.tensors("text_encoder"); }, ErrorCode::kBadCheckpoint,
                           "model-2.safetensors"));
  write(root_ / "text_encoder/model-2.safetensors", {{"c", b_}});
  EXPECT_TRUE(throws_error([&] { folder.tensors("text_encoder"); }, ErrorCode::kBadCheckpoint,
                           "does not hold it"));
}

TEST_F(Folder, RefusesATruncatedShard) {
  const fs::path file = in_transformer("diffusion_pytorch_model.safetensors");
  write(file, {{"a", a_}});
  fs::resize_file(file, fs::file_size(file) - 8);
  const CheckpointFolder folder(root_.path());
  EXPECT_TRUE(throws_error([&] { folder.tensors("transformer"); }, ErrorCode::kBadCheckpoint,
                           "diffusion_pytorch_model.safetensors"));
}

TEST_F(Folder, SaysWhatIsMissing) {
  EXPECT_TRUE(throws_error([&] { CheckpointFolder(root_ / "nowhere"); }, ErrorCode::kModelMissing,
                           "no such folder"));
  EXPECT_TRUE(throws_error([&] { CheckpointFolder(root_ / "transformer"); },
                           ErrorCode::kModelMissing, "model_index.json"));
  const CheckpointFolder folder(root_.path());
  EXPECT_TRUE(throws_error([&] { folder.config("transformer"); }, ErrorCode::kModelMissing,
                           "transformer/config.json"));
  EXPECT_TRUE(throws_error([&] { folder.tensors("transformer"); }, ErrorCode::kModelMissing,
                           "diffusion_pytorch_model.safetensors"));
  EXPECT_TRUE(throws_error([&] { folder.class_of("scheduler"); }, ErrorCode::kBadCheckpoint,
                           "no component scheduler"));
  EXPECT_TRUE(throws_error([&] { folder.require_complete(); }, ErrorCode::kModelMissing,
                           "tokenizer/spiece.model"));
  EXPECT_TRUE(throws_error([&] { folder.require_complete(); }, ErrorCode::kModelMissing,
                           "text_encoder/model.safetensors"));
}

TEST_F(Folder, LeavesAMappedFileAsItIs) {
  const fs::path file = in_transformer("diffusion_pytorch_model.safetensors");
  write(file, {{"a", a_}});
  const std::string before = test::content_of(file);
  {
    TensorMap tensors = map_tensors(file);
    tensors.at("a").zero_();
    EXPECT_EQ(tensors.at("a").abs().max().item<double>(), 0);
  }
  EXPECT_EQ(test::content_of(file), before);
  // A tensor outlives the map of the others, and the file.
  const at::Tensor kept = map_tensors(file).at("a");
  fs::remove(file);
  EXPECT_TRUE(near(kept, a_, test::kExact));
}

}  // namespace
}  // namespace qingyin
