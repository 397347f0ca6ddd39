#include "understanding/visual_features.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "models/checkpoint/load_weights.h"
#include "models/tokenizer/clip_tokenizer.h"
#include "tests/models/tokenizer/small_vocabulary.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "understanding/visual_networks.h"

namespace qingyin::test {
namespace {

MmaudioVisualOptions small() {
  return {.clip = {.embed_dim = 24,
                   .vision = {.width = 32, .layers = 2, .heads = 2},
                   .text = {.width = 16, .layers = 2, .heads = 2},
                   .vocabulary = 49408},
          .synchformer = {.width = 24, .layers = 1, .heads = 2, .grid = 14}};
}

PreparedPicture picture(std::int64_t side, int seed) {
  PreparedPicture made{.side = side, .planes = std::vector<std::uint8_t>(3 * side * side)};
  for (std::size_t i = 0; i < made.planes.size(); ++i)
    made.planes[i] = static_cast<std::uint8_t>((i * (7 + seed) + i / 31 * seed) % 251);
  return made;
}

std::vector<float> row(const FeatureTensor& features, std::int64_t index) {
  const auto width = features.shape.back();
  const auto begin = features.values.begin() + index * width;
  return {begin, begin + width};
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  const auto dot = [](const auto& x, const auto& y) {
    return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  };
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

/// Published files at small sizes: both towers with what else is in the file, and Synchformer.
class VisualFeaturesTest : public testing::Test {
 protected:
  VisualFeaturesTest() {
    const MmaudioVisualOptions options = small();
    ClipVision vision(options.clip, at::kFloat);
    ClipText text(options.clip, at::kFloat);
    Synchformer sync(options.synchformer, at::kFloat);
    randomise(*vision, 1, at::kFloat);
    randomise(*text, 2, at::kFloat);
    randomise(*sync, 3, at::kFloat);
    add(clip_, *vision, "visual.");
    add(clip_, *text, "");
    clip_.emplace("logit_scale", at::ones({}));
    add(sync_, *sync, "vfeat_extractor.");
    sync_.emplace("vfeat_extractor.patch_embed.proj.bias", at::ones({24}));
    sync_.emplace("afeat_extractor.anything", at::ones({2}));
    folder_.write("merges.txt", merges_text(merges_with({})));
    write();
  }
  static void add(TensorMap& tensors, const torch::nn::Module& network, const std::string& prefix) {
    for (const auto& [name, tensor] : weights_of(network))
      tensors.emplace(prefix + name, tensor.detach());
  }
  void write() {
    write_safetensors(files_.clip, clip_, {}, Overwrite::kYes);
    write_safetensors(files_.synchformer, sync_, {}, Overwrite::kYes);
  }
  MmaudioVisualEncoder encoder(FeaturePrecision precision = FeaturePrecision::kFloat32) const {
    MmaudioVisualOptions options = small();
    options.precision = precision;
    return {files_, {.pictures = true, .motion = true, .text = true}, options};
  }

  const TemporaryFolder folder_;
  const MmaudioVisualFiles files_{folder_ / "clip.safetensors", folder_ / "sync.safetensors",
                                  folder_ / "merges.txt"};
  TensorMap clip_, sync_;
};

/// Fails for every norm of `network` that adds another number than `eps` to the variance. The
/// fixtures do not show it: their activations vary too much.
void expect_norm_eps(torch::nn::Module& network, double eps) {
  int norms = 0;
  for (const auto& item : network.named_modules()) {
    auto* norm = dynamic_cast<NormImpl*>(item.value().get());
    if (norm == nullptr) continue;
    ++norms;
    const auto parameters = norm->named_parameters();
    const at::Tensor weight = parameters["weight"], bias = parameters["bias"];
    const at::Tensor x = at::arange(weight.numel(), at::kFloat) * 1e-4;
    EXPECT_TRUE(
        at::allclose(norm->forward(x), at::layer_norm(x, weight.sizes(), weight, bias, eps)))
        << item.key();
  }
  EXPECT_GT(norms, 0);
}

TEST(VisualNetworks, NormsAddThePublishedEps) {
  const at::NoGradGuard no_gradient;
  const MmaudioVisualOptions options = small();
  ClipVision vision(options.clip, at::kFloat);
  ClipText text(options.clip, at::kFloat);
  Synchformer sync(options.synchformer, at::kFloat);
  const std::pair<torch::nn::Module*, double> networks[] = {
      {vision.get(), 1e-5}, {text.get(), 1e-5}, {sync.get(), 1e-6}};
  for (const auto& [network, eps] : networks) {
    randomise(*network, 1, at::kFloat);
    expect_norm_eps(*network, eps);
  }
}

TEST_F(VisualFeaturesTest, GivesOneRowOfLengthOneAPicture) {
  const MmaudioVisualEncoder e = encoder();
  std::vector<PreparedPicture> pictures;
  for (int i = 0; i < 6; ++i) pictures.push_back(picture(kClipPictureSide, i));
  pictures[3] = pictures[2];
  const FeatureTensor all = e.of_pictures(pictures);
  EXPECT_EQ(all.shape, (std::vector<std::int64_t>{6, 24}));
  EXPECT_EQ(all.hop, Seconds(0.125));
  EXPECT_EQ(row(all, 3), row(all, 2));
  EXPECT_NE(row(all, 4), row(all, 2));
  for (std::int64_t i = 0; i < 6; ++i) {
    const auto r = row(all, i);
    EXPECT_NEAR(std::inner_product(r.begin(), r.end(), r.begin(), 0.0), 1, 1e-5);
    const FeatureTensor alone = e.of_pictures({&pictures[static_cast<std::size_t>(i)], 1});
    EXPECT_GT(cosine(r, row(alone, 0)), 0.999999) << i;
  }
  EXPECT_EQ(e.of_pictures({}).shape, (std::vector<std::int64_t>{0, 24}));
}

TEST_F(VisualFeaturesTest, EncodesEqualPicturesOnce) {
  const MmaudioVisualEncoder e = encoder();
  const std::vector<PreparedPicture> still(100, picture(kClipPictureSide, 1));
  std::vector<double> steps;
  const auto watch = [&](std::string_view, double fraction) {
    steps.push_back(fraction);
    return true;
  };
  e.of_pictures(still, watch);
  EXPECT_EQ(steps, (std::vector<double>{0, 1}));  // one batch
  const std::vector<PreparedPicture> frames(200, picture(kSyncPictureSide, 1));
  steps.clear();
  const FeatureTensor sync = e.of_frames(frames, watch);
  EXPECT_EQ(steps, (std::vector<double>{0, 1}));
  EXPECT_EQ(sync.shape, (std::vector<std::int64_t>{192, 24}));
  EXPECT_EQ(row(sync, 191), row(sync, 7));
}

TEST_F(VisualFeaturesTest, SegmentsOverlapByHalfAndStandAlone) {
  const MmaudioVisualEncoder e = encoder();
  std::vector<PreparedPicture> frames;
  for (int i = 0; i < 47; ++i) frames.push_back(picture(kSyncPictureSide, i));
  const FeatureTensor all = e.of_frames(frames);
  EXPECT_EQ(all.shape, (std::vector<std::int64_t>{32, 24}));
  const FeatureTensor third = e.of_frames(std::span(frames).subspan(16, 16));
  ASSERT_EQ(third.shape, (std::vector<std::int64_t>{8, 24}));
  for (std::int64_t i = 0; i < 8; ++i) EXPECT_GT(cosine(row(all, 16 + i), row(third, i)), 0.999999);
  EXPECT_EQ(e.of_frames(std::span(frames).first(15)).shape, (std::vector<std::int64_t>{0, 24}));
}

TEST_F(VisualFeaturesTest, ReadsPrompts) {
  const MmaudioVisualEncoder e = encoder();
  const FeatureTensor dog = e.of_prompt("a dog barks");
  EXPECT_EQ(dog.shape, (std::vector<std::int64_t>{77, 16}));
  EXPECT_EQ(dog.values, e.of_prompt("  A  Dog&nbsp;barks").values);
  EXPECT_NE(dog.values, e.of_prompt("a cat barks").values);
  const std::vector<std::string> texts{"a dog", "rain"};
  EXPECT_EQ(e.in_picture_space(texts).shape, (std::vector<std::int64_t>{2, 24}));
  EXPECT_TRUE(throws_error([&] { e.of_prompt("\xFF"); }, ErrorCode::kInvalidInput, "UTF-8"));
}

TEST_F(VisualFeaturesTest, TextsInThePictureSpaceAreTheEndTokensProjected) {
  const MmaudioVisualEncoder e = encoder();
  const std::vector<std::string> texts{"a dog", "a photo of heavy rain on a roof."};
  const FeatureTensor rows = e.in_picture_space(texts);
  ClipText text(small().clip, at::kFloat);
  load_clip(folder_ / "clip.safetensors", small().clip, nullptr, &text, at::kFloat);
  const ClipTokenizer tokenizer(folder_ / "merges.txt");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto ids = tokenizer(texts[i]);  // all 77, with padding
    const auto end = std::ranges::find(ids, ClipTokenizer::kEnd) - ids.begin();
    at::Tensor states;
    text->forward(at::tensor(ids, at::kInt).unsqueeze(0),
                  [&](const std::string& name, const at::Tensor& value) {
                    if (name == "ln_final") states = value;
                  });
    const at::Tensor wanted = at::matmul(states[0][end], clip_.at("text_projection"));
    const at::Tensor unit = (wanted / wanted.norm()).contiguous();
    const auto found = row(rows, static_cast<std::int64_t>(i));
    ASSERT_EQ(unit.numel(), std::ssize(found));
    for (std::int64_t k = 0; k < unit.numel(); ++k)
      EXPECT_NEAR(found[static_cast<std::size_t>(k)], unit[k].item<float>(), 1e-5);
  }
  EXPECT_NEAR(e.logit_scale(), std::exp(clip_.at("logit_scale").item<double>()), 1e-6);
}

TEST_F(VisualFeaturesTest, HalfPrecisionSaysTheSame) {
  const MmaudioVisualEncoder full = encoder(), half = encoder(FeaturePrecision::kBFloat16);
  const std::vector<PreparedPicture> pictures{picture(kClipPictureSide, 1)};
  const std::vector<PreparedPicture> frames(16, picture(kSyncPictureSide, 2));
  EXPECT_GT(cosine(row(full.of_pictures(pictures), 0), row(half.of_pictures(pictures), 0)), 0.999);
  EXPECT_GT(cosine(full.of_frames(frames).values, half.of_frames(frames).values), 0.999);
  EXPECT_GT(cosine(full.of_prompt("rain").values, half.of_prompt("rain").values), 0.999);
  EXPECT_NE(full.identity(), half.identity());
}

TEST_F(VisualFeaturesTest, NamesEveryWrongTensorAndTheFile) {
  clip_.erase("visual.ln_post.weight");
  clip_.emplace("visual.extra", at::ones({1}));
  clip_["visual.proj"] = at::ones({3, 3});
  sync_.erase("vfeat_extractor.blocks.0.norm3.bias");
  write();
  EXPECT_TRUE(throws_error([&] { encoder(); }, ErrorCode::kBadCheckpoint, "clip.safetensors"));
  for (const char* culprit :
       {"missing     ln_post.weight", "unexpected  extra", "misshapen   proj"})
    EXPECT_TRUE(throws_error([&] { encoder(); }, ErrorCode::kBadCheckpoint, culprit));
  const MmaudioVisualParts motion{.motion = true}, text{.text = true};
  EXPECT_TRUE(throws_error([&] { MmaudioVisualEncoder(files_, motion, small()); },
                           ErrorCode::kBadCheckpoint, "missing     blocks.0.norm3.bias"));
  // A file with a wrong image tower is not the published one, even if only the text is wanted.
  EXPECT_TRUE(throws_error([&] { MmaudioVisualEncoder(files_, text, small()); },
                           ErrorCode::kBadCheckpoint, "visual.*"));
}

TEST_F(VisualFeaturesTest, RefusesWhatIsNotThere) {
  const MmaudioVisualFiles absent{folder_ / "no_clip.pth", folder_ / "no_sync.pth",
                                  folder_ / "merges.txt"};
  EXPECT_TRUE(throws_error([&] { MmaudioVisualEncoder(absent, {.motion = true}, small()); },
                           ErrorCode::kModelMissing, "no_sync.pth"));
  MmaudioVisualOptions options = small();
  options.device = "abacus";
  EXPECT_TRUE(throws_error([&] { MmaudioVisualEncoder(files_, {.motion = true}, options); },
                           ErrorCode::kDevice, "abacus"));
  options = small();
  options.clip.vision.heads = 3;
  EXPECT_TRUE(throws_error([&] { MmaudioVisualEncoder(files_, {.pictures = true}, options); },
                           ErrorCode::kUsage, "heads"));
  const MmaudioVisualEncoder e(files_, {.motion = true}, small());
  EXPECT_TRUE(throws_error([&] { e.of_pictures({}); }, ErrorCode::kInternal, "not loaded"));
  EXPECT_TRUE(throws_error([&] { e.of_prompt("a"); }, ErrorCode::kInternal, "not loaded"));
  const std::vector<PreparedPicture> wrong(16, picture(kClipPictureSide, 1));
  EXPECT_TRUE(throws_error([&] { e.of_frames(wrong); }, ErrorCode::kInternal, "384"));
}

TEST_F(VisualFeaturesTest, StopsWhenTold) {
  const MmaudioVisualEncoder e = encoder();
  const std::vector<PreparedPicture> pictures{picture(kClipPictureSide, 1)};
  EXPECT_TRUE(
      throws_error([&] { e.of_pictures(pictures, [](std::string_view, double) { return false; }); },
                   ErrorCode::kCancelled, ""));
}

}  // namespace
}  // namespace qingyin::test
