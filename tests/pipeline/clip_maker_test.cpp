#include "pipeline/clip_maker.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/media/clip.h"
#include "core/media/picture_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

/// Makes frames that grow brighter; stops with an error after some of them if told to.
class FakeGenerator : public VideoGenerator {
 public:
  explicit FakeGenerator(std::int64_t frames_before_fault = 1000) : fault_(frames_before_fault) {
    info_.name = "fake";
    info_.native = {.width = 64, .height = 32, .frames = 9, .rate = {8, 1}};
    info_.longest_frames = 81;
    info_.text_tokens = 226;
  }
  const VideoModelInfo& info() const override { return info_; }

  std::function<void(FrameSink&)> on_previews_ = [](FrameSink&) {};

 private:
  VideoEstimate do_estimate(const VideoPrompt&, const VideoSettings&) const override { return {}; }

  VideoReport do_generate(const VideoPrompt&, const VideoSettings& settings, FrameSink& sink,
                          const Progress& progress) const override {
    const VideoFormat format{.width = 64, .height = 32, .frames = settings.frames, .rate = {8, 1}};
    sink.begin(format);
    for (std::int64_t k = 1; k <= settings.preview_every; ++k)
      sink.preview({.height = 1,
                    .width = 2,
                    .pixels = std::vector<std::uint8_t>(6, static_cast<std::uint8_t>(k))});
    if (settings.preview_every > 0) on_previews_(sink);
    for (std::int64_t k = 0; k < settings.frames; ++k) {
      report(progress, "frame", static_cast<double>(k) / static_cast<double>(settings.frames));
      if (k == fault_) throw Error(ErrorCode::kInternal, "no more frames");
      sink.write(std::vector<std::uint8_t>(64 * 32 * 3, static_cast<std::uint8_t>(20 * k)));
    }
    VideoReport made;
    made.model = info_;
    made.format = format;
    made.settings = settings;
    return made;
  }

  VideoModelInfo info_;
  std::int64_t fault_;
};

const VideoPrompt kPrompt{.text = "grey", .negative = "", .picture = {}, .clip = {}};

TEST(ClipMaker, WritesAClipAndItsCover) {
  const TemporaryFolder folder;
  make_clip(FakeGenerator(), kPrompt, {.frames = 9},
            {.video = folder / "a.mp4", .cover = folder / "a.png"});
  const ClipInfo clip = probe(folder / "a.mp4");
  EXPECT_EQ(clip.width, 64);
  EXPECT_NEAR(clip.duration.count(), 9.0 / 8, 1e-3);
  const Frame cover = read_picture(folder / "a.png");
  EXPECT_EQ(cover.pixels.at(0), 80) << "the middle frame";
  EXPECT_EQ(folder.count(), 2);
}

// The last preview is there while a run goes on, and gone however it ends.
TEST(ClipMaker, ShowsThePreviewUntilTheRunEnds) {
  for (const std::int64_t fault : {1000, 3}) {
    const TemporaryFolder folder;
    FakeGenerator generator(fault);
    int seen = 0;
    generator.on_previews_ = [&](FrameSink&) {
      seen = read_picture(folder / "a.preview.png").pixels.at(0);
    };
    try {
      make_clip(generator, kPrompt, {.frames = 9, .preview_every = 2},
                {.video = folder / "a.mp4", .preview = folder / "a.preview.png"});
    } catch (const Error&) {
      EXPECT_EQ(fault, 3);
    }
    EXPECT_EQ(seen, 2) << "the second replaced the first";
    EXPECT_FALSE(fs::exists(folder / "a.preview.png"));
  }
}

TEST(ClipMaker, LeavesNothingBehind) {
  const TemporaryFolder folder;
  const ClipFiles files{.video = folder / "a.mp4", .cover = folder / "a.png"};
  EXPECT_TRUE(throws_error([&] { make_clip(FakeGenerator(3), kPrompt, {.frames = 9}, files); },
                           ErrorCode::kInternal, "no more frames"));
  EXPECT_EQ(folder.count(), 0);
  const auto stop = [](std::string_view, double fraction) { return fraction < 0.5; };
  EXPECT_TRUE(throws_error([&] { make_clip(FakeGenerator(), kPrompt, {.frames = 9}, files, stop); },
                           ErrorCode::kCancelled, ""));
  EXPECT_EQ(folder.count(), 0);
  folder.write("a.png", "somebody's");
  EXPECT_TRUE(throws_error([&] { make_clip(FakeGenerator(), kPrompt, {.frames = 9}, files); },
                           ErrorCode::kIo, "a.png"));
  EXPECT_EQ(content_of(folder / "a.png"), "somebody's");
  EXPECT_EQ(folder.count(), 1) << "no clip without its cover";
}

TEST(ClipMaker, RecipesComeBackWhole) {
  const TemporaryFolder folder;
  ClipRecipe recipe{.model = "cogvideox:2b",
                    .text = "a dog",
                    .negative = "blur",
                    .sound = "auto: barking",
                    .picture = "p.png",
                    .clip = "",
                    .settings = {},
                    .rate = {16, 1}};
  VideoReport report;
  report.settings = {.width = 720,
                     .height = 480,
                     .frames = 49,
                     .steps = 50,
                     .guidance = 7.5,
                     .seed = 18446744073709551615U,
                     .sampler = VideoSampler::kDpm};
  report.settings.loras.push_back({"style.safetensors", 0.5});
  const auto file = folder.write("a.clip.json", recipe_json(recipe, report));
  const ClipRecipe back = read_recipe(file);
  EXPECT_EQ(back.model, recipe.model);
  EXPECT_EQ(back.text, recipe.text);
  EXPECT_EQ(back.picture, recipe.picture);
  EXPECT_EQ(back.rate, recipe.rate);
  EXPECT_EQ(back.settings.seed, report.settings.seed);
  EXPECT_EQ(back.settings.guidance, 7.5);
  EXPECT_EQ(back.settings.sampler, VideoSampler::kDpm);
  ASSERT_EQ(back.settings.loras.size(), 1U);
  EXPECT_EQ(back.settings.loras[0].factor, 0.5);
}

TEST(ClipMaker, RefusesOtherRecipes) {
  const TemporaryFolder folder;
  ClipRecipe recipe;
  auto root = nlohmann::json::parse(recipe_json(recipe, {}));
  root["settings"]["sampler"] = 77;
  const auto refused = [&](const std::string& text, const std::string& words) {
    const auto file = folder.write("r.json", text);
    return throws_error([&] { read_recipe(file); }, ErrorCode::kInvalidInput, words);
  };
  EXPECT_TRUE(refused(root.dump(), "expected 0 to 3"));
  EXPECT_TRUE(refused("{}", "is no recipe"));
  EXPECT_TRUE(refused("not JSON", "is no recipe"));
  EXPECT_TRUE(throws_error([&] { read_recipe(folder / "none.json"); }, ErrorCode::kInvalidInput,
                           "is no recipe"));
}

}  // namespace
}  // namespace qingyin::test
