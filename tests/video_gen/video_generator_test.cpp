#include "video_gen/video_generator.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace qingyin::test {
namespace {

/// A model that only has its rules.
class Rules : public VideoGenerator {
 public:
  explicit Rules(VideoModelInfo info) : info_(std::move(info)) {}
  const VideoModelInfo& info() const override { return info_; }

 private:
  VideoEstimate do_estimate(const VideoPrompt&, const VideoSettings&) const override { return {}; }
  VideoReport do_generate(const VideoPrompt&, const VideoSettings&, FrameSink&,
                          const Progress&) const override {
    return {};
  }
  VideoModelInfo info_;
};

VideoModelInfo model_5b() {
  return {.name = "cogvideox-5b",
          .native = {.width = 720, .height = 480, .frames = 49},
          .longest_frames = 49,
          .text_tokens = 226};
}

VideoPrompt a_cat() {
  VideoPrompt prompt;
  prompt.text = "a cat";
  return prompt;
}

void expect_refused(const VideoModelInfo& model, const VideoSettings& settings,
                    const std::string& part, const VideoPrompt& prompt = a_cat()) {
  EXPECT_TRUE(
      throws_error([&] { Rules(model).completed(prompt, settings); }, ErrorCode::kUsage, part));
}

TEST(VideoSettings, AreCompletedFromTheModel) {
  const VideoSettings got = Rules(model_5b()).completed(a_cat(), {});
  EXPECT_EQ(got.width, 720);
  EXPECT_EQ(got.height, 480);
  EXPECT_EQ(got.frames, 49);
  EXPECT_EQ(got.steps, 50);
  EXPECT_EQ(got.text_tokens, 226);
}

// The usual trap: 81 frames, the default of a later model, give noise without an error.
TEST(VideoSettings, RefusalsNameTheNearestValue) {
  expect_refused(model_5b(), {.frames = 81}, "the nearest is 49");
  expect_refused(model_5b(), {.frames = 20}, "the nearest is 17");
  expect_refused(model_5b(), {.width = 725, .height = 470}, "720 x 464");
  VideoModelInfo second = model_5b();
  second.frame_grid = 16;
  second.longest_frames = 161;
  expect_refused(second, {.frames = 49 + 3}, "the nearest is 49");
  expect_refused(second, {.frames = 200}, "the nearest is 161");
}

TEST(VideoSettings, AFixedSizeCanBeUnlocked) {
  VideoModelInfo model = model_5b();
  model.has_fixed_size = true;
  VideoSettings settings{.width = 480, .height = 720};
  expect_refused(model, settings, "720 x 480 only");
  settings.stored_table = StoredTable::kIgnored;
  EXPECT_EQ(Rules(model).completed(a_cat(), settings).width, 480);
}

TEST(VideoSettings, RefuseNumbersOutOfRange) {
  expect_refused(model_5b(), {.width = 720}, "height");
  expect_refused(model_5b(), {.steps = 1001}, "1001 steps");
  expect_refused(model_5b(), {.strength = 0}, "strength");
  expect_refused(model_5b(), {.text_tokens = 300}, "1 to 226");
  expect_refused(model_5b(), {.loras = {{.file = "nowhere.safetensors"}}}, "nowhere.safetensors");
  VideoModelInfo fixed = model_5b();
  fixed.has_fixed_text = true;
  expect_refused(fixed, {.text_tokens = 224}, "exactly 226");
}

TEST(VideoSettings, TheDistilledSamplerHasFourSteps) {
  const VideoSettings distilled{.sampler = VideoSampler::kDistilled};
  EXPECT_EQ(Rules(model_5b()).completed(a_cat(), distilled).steps, 4);
  expect_refused(model_5b(), {.steps = 8, .sampler = VideoSampler::kDistilled}, "4 steps, not 8");
  VideoPrompt change = a_cat();
  change.clip = [] { return std::optional<RgbPicture>(); };
  expect_refused(model_5b(), distilled, "given clip", change);
}

TEST(VideoPrompt, MustSuitTheModel) {
  expect_refused(model_5b(), {}, "no prompt", {});
  VideoPrompt with_picture = a_cat();
  with_picture.picture = RgbPicture{.height = 1, .width = 1, .pixels = {1, 2, 3}};
  expect_refused(model_5b(), {}, "I2V", with_picture);
  VideoModelInfo from_picture = model_5b();
  from_picture.is_from_picture = true;
  expect_refused(from_picture, {}, "begins with a picture");
  with_picture.text.clear();  // a picture needs no text
  EXPECT_NO_THROW(Rules(from_picture).completed(with_picture, {}));
}

}  // namespace
}  // namespace qingyin::test
