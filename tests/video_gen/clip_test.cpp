// The stage on the tiny checkpoints of the parity fixtures: what a user of the program meets.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/error.h"
#include "models/checkpoint/tensor_io.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "video_gen/frame_spool.h"
#include "video_gen/video_generator.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

fs::path checkpoints() {
  const char* const shared = std::getenv("QINGYIN_SHARED");
  const fs::path root =
      shared != nullptr ? fs::path(shared) : fs::path(QINGYIN_SOURCE_DIR) / ".." / "shared";
  return root / "parity" / "cogvideox" / "pipelines";
}

/// Keeps the frames, and holds the stage to its contract with a sink.
class Frames : public FrameSink {
 public:
  void begin(const VideoFormat& format) override {
    EXPECT_EQ(begun_++, 0);
    format_ = format;
  }
  void write(std::span<const std::uint8_t> rgb) override {
    EXPECT_EQ(begun_, 1);
    EXPECT_EQ(rgb.size(), static_cast<std::size_t>(format_.width * format_.height * 3));
    all.emplace_back(rgb.begin(), rgb.end());
  }
  void preview(const RgbPicture& strip) override { previews.push_back(strip); }
  const VideoFormat& format() const { return format_; }

  std::vector<std::vector<std::uint8_t>> all;
  std::vector<RgbPicture> previews;

 private:
  int begun_ = 0;
  VideoFormat format_;
};

class TinyClip : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::is_directory(checkpoints()))
      GTEST_SKIP() << checkpoints() << " is not there; set QINGYIN_SHARED";
    for (const auto& item : fs::directory_iterator(checkpoints())) {
      const auto generator = open_video_generator(item.path());
      if (generator->info().is_from_picture)
        from_picture_ = item.path();
      else if (generator->info().is_second_generation)
        second_ = item.path();
      else if (!generator->info().is_second_generation && generator->info().has_fixed_text)
        from_text_ = item.path();
    }
    ASSERT_FALSE(from_text_.empty()) << "no checkpoint of the shape of 2b";
    ASSERT_FALSE(from_picture_.empty()) << "no checkpoint that begins with a picture";
  }

  static VideoPrompt a_fox() {
    VideoPrompt prompt;
    prompt.text = "A fox walks along the river.";
    return prompt;
  }
  static VideoSettings small() {
    return {.width = 48, .height = 32, .frames = 9, .steps = 2, .seed = 5};
  }
  std::vector<std::vector<std::uint8_t>> frames_of(const VideoSettings& settings) const {
    Frames frames;
    open_video_generator(from_text_)->generate(a_fox(), settings, frames);
    return frames.all;
  }

  /// The frames of a clip that is all of one grey.
  static PictureSource grey_clip(int length, std::uint8_t grey) {
    return [left = length, grey]() mutable -> std::optional<RgbPicture> {
      if (left-- == 0) return std::nullopt;
      return RgbPicture{.height = 16, .width = 16, .pixels = std::vector<std::uint8_t>(768, grey)};
    };
  }

  fs::path from_text_, from_picture_, second_;
};

TEST_F(TinyClip, HasItsFramesAndAReportThatRepeatsIt) {
  Frames frames;
  const VideoReport report = open_video_generator(from_text_)->generate(a_fox(), small(), frames);
  EXPECT_EQ(frames.all.size(), 9U);
  EXPECT_EQ(frames.format().rate, (FrameRate{8, 1}));
  EXPECT_EQ(report.timesteps.size(), 2U);
  EXPECT_EQ(report.settings.seed, 5U);
  EXPECT_FALSE(report.warnings.empty()) << "it was not trained for this size";
  EXPECT_EQ(frames_of(report.settings), frames.all) << "the same seed gives the same frames";
  VideoSettings other = small();
  other.seed = 6;
  EXPECT_NE(frames_of(other), frames.all);
}

TEST_F(TinyClip, TheNegativePromptCountsOnlyWithGuidance) {
  const auto generator = open_video_generator(from_text_);
  const auto with = [&](const std::string& negative, double guidance) {
    VideoPrompt prompt = a_fox();
    prompt.negative = negative;
    VideoSettings settings = small();
    settings.guidance = guidance;
    Frames frames;
    generator->generate(prompt, settings, frames);
    return frames.all;
  };
  EXPECT_NE(with("", 6), with("blurry", 6));
  EXPECT_EQ(with("", 1), with("blurry", 1));
}

// Short memory changes how a clip is made: streamed weights give the same clip; tiles one of the
// same size, and every pixel of it comes from a tile.
TEST_F(TinyClip, FitsIntoTheAllowedMemory) {
  const auto generator = open_video_generator(from_text_);
  VideoSettings settings{.width = 96, .height = 64, .frames = 9, .steps = 2};
  const VideoEstimate free = generator->estimate(a_fox(), settings);
  EXPECT_FALSE(free.memory.tiles_vae || free.memory.streams_transformer);
  settings.memory_bytes = free.memory.peak_bytes() - 1;
  const VideoEstimate short_of = generator->estimate(a_fox(), settings);
  EXPECT_TRUE(short_of.memory.tiles_vae || short_of.memory.streams_transformer);
  EXPECT_LE(short_of.memory.peak_bytes(), settings.memory_bytes);
  const auto frames = frames_of(settings);
  ASSERT_EQ(frames.size(), 9U);
  for (const auto& frame : frames) {
    const std::set<std::uint8_t> values(frame.begin(), frame.end());
    EXPECT_GT(values.size(), 8U) << "a frame is nearly empty";
  }
  settings.memory_bytes = 1;
  EXPECT_TRUE(throws_error([&] { generator->estimate(a_fox(), settings); }, ErrorCode::kDevice,
                           "needs at least"));
}

TEST_F(TinyClip, IsCancelledBetweenSteps) {
  const auto generator = open_video_generator(from_text_);
  VideoSettings settings = small();
  settings.steps = 8;
  int steps = 0;
  Frames frames;
  const Progress stop_at_second = [&](std::string_view what, double fraction) {
    EXPECT_GE(fraction, 0);
    EXPECT_LE(fraction, 1);
    if (what.starts_with("step")) ++steps;
    return steps < 2;
  };
  EXPECT_TRUE(throws_error([&] { generator->generate(a_fox(), settings, frames, stop_at_second); },
                           ErrorCode::kCancelled, ""));
  EXPECT_EQ(steps, 2);
  EXPECT_TRUE(frames.all.empty());
}

TEST_F(TinyClip, BeginsWithAPictureWithOrWithoutText) {
  const auto generator = open_video_generator(from_picture_);
  VideoPrompt prompt;
  prompt.picture = RgbPicture{.height = 20, .width = 30, .pixels = std::vector<std::uint8_t>(1800)};
  VideoSettings settings{.frames = generator->info().frame_grid + 1, .steps = 1};
  Frames frames;
  const VideoReport report = generator->generate(prompt, settings, frames);
  EXPECT_EQ(report.task, VideoTask::kFromPicture);
  EXPECT_EQ(static_cast<std::int64_t>(frames.all.size()), settings.frames);
}

TEST_F(TinyClip, ChangesAGivenClipAndSaysIfItIsTooShort) {
  const auto generator = open_video_generator(from_text_);
  VideoPrompt prompt = a_fox();
  prompt.clip = grey_clip(9, 90);
  VideoSettings settings = small();
  settings.strength = 0.5;
  Frames frames;
  const VideoReport report = generator->generate(prompt, settings, frames);
  EXPECT_EQ(report.timesteps.size(), 1U) << "half of two steps";
  EXPECT_EQ(frames.all.size(), 9U);
  prompt.clip = grey_clip(8, 90);
  Frames none;
  EXPECT_TRUE(throws_error([&] { generator->generate(prompt, settings, none); },
                           ErrorCode::kInvalidInput, "has 8 frames"));
}

// 17 frames are five of the latents, an odd number: 1.5 wants pairs, and the first is repeated in
// front and dropped again. The reference refuses such a clip.
TEST_F(TinyClip, ChangesAGivenClipWithTheSecondGeneration) {
  ASSERT_FALSE(second_.empty()) << "no checkpoint of the shape of 1.5";
  const auto changed = [&](std::uint8_t grey) {
    VideoPrompt prompt = a_fox();
    prompt.clip = grey_clip(17, grey);
    VideoSettings settings = small();
    settings.frames = 17;
    settings.strength = 0.5;
    Frames frames;
    const VideoReport report = open_video_generator(second_)->generate(prompt, settings, frames);
    EXPECT_EQ(report.task, VideoTask::kFromClip);
    EXPECT_EQ(report.timesteps.size(), 1U);
    return frames.all;
  };
  const auto dark = changed(40), light = changed(200);
  EXPECT_EQ(dark.size(), 17U);
  EXPECT_NE(dark, light) << "the given clip decides";
}

// Half the memory, and nearly the same picture.
TEST_F(TinyClip, IsMadeInBfloat16) {
  VideoSettings settings = small();
  const auto exact = frames_of(settings);
  settings.precision = VideoPrecision::kBfloat16;
  const auto rounded = frames_of(settings);
  ASSERT_EQ(rounded.size(), exact.size());
  double difference = 0, count = 0;
  for (std::size_t f = 0; f < exact.size(); ++f)
    for (std::size_t i = 0; i < exact[f].size(); ++i, ++count)
      difference += std::abs(exact[f][i] - rounded[f][i]);
  EXPECT_NE(rounded, exact);
  EXPECT_LT(difference / count, 4) << "of 255 levels";
}

// Three latent frames, so three pictures in a row, after the first and the second of three steps.
TEST_F(TinyClip, ShowsPreviewsThatChangeNothing) {
  VideoSettings settings = small();
  settings.steps = 3;
  const auto plain = frames_of(settings);
  settings.preview_every = 1;
  Frames frames;
  open_video_generator(from_text_)->generate(a_fox(), settings, frames);
  ASSERT_EQ(frames.previews.size(), 2U);
  EXPECT_EQ(frames.previews[0].width, 3 * 48);
  EXPECT_EQ(frames.previews[0].height, 32);
  EXPECT_EQ(frames.previews[0].pixels.size(), 3U * 48 * 32 * 3);
  EXPECT_NE(frames.previews[0].pixels, frames.previews[1].pixels);
  EXPECT_EQ(frames.all, plain);
  settings.preview_every = -1;
  EXPECT_TRUE(throws_error([&] { frames_of(settings); }, ErrorCode::kUsage, "previews are wanted"));
}

/// A copy of a checkpoint in which one file of a component is changed.
void copy_checkpoint(const fs::path& from, const fs::path& to) {
  fs::copy(from, to, fs::copy_options::recursive);
}

TEST_F(TinyClip, NamesWhatTheCheckpointLacks) {
  const TemporaryFolder folder;
  const fs::path copy = folder.path() / "copy";
  copy_checkpoint(from_text_, copy);
  fs::remove(copy / "vae" / "config.json");
  EXPECT_TRUE(throws_error([&] { open_video_generator(copy); }, ErrorCode::kModelMissing,
                           "vae/config.json"));
  EXPECT_TRUE(throws_error([&] { open_video_generator(folder.path() / "none"); },
                           ErrorCode::kModelMissing, "none"));
}

// Weights that overflow give black clips in other programs; here the first step ends the run.
TEST_F(TinyClip, EndsAtTheFirstStepIfTheAnswerIsNotFinite) {
  const TemporaryFolder folder;
  const fs::path copy = folder.path() / "copy";
  copy_checkpoint(from_picture_, copy);
  const fs::path file = copy / "transformer" / "diffusion_pytorch_model.safetensors";
  ASSERT_TRUE(fs::is_regular_file(file));
  TensorsAndMetadata content = read_safetensors(file);
  content.tensors.at("proj_out.bias").fill_(std::numeric_limits<double>::quiet_NaN());
  write_safetensors(file, content.tensors, content.metadata, Overwrite::kYes);
  VideoPrompt prompt;
  prompt.picture = RgbPicture{.height = 1, .width = 1, .pixels = {9, 9, 9}};
  const auto generator = open_video_generator(copy);
  VideoSettings settings{.frames = generator->info().frame_grid + 1, .steps = 3};
  Frames frames;
  try {
    generator->generate(prompt, settings, frames);
    FAIL() << "a clip was made of numbers that are not finite";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInternal);
    EXPECT_EQ(e.reason(), "nan");
  }
  EXPECT_TRUE(frames.all.empty());
}

TEST(FrameSpool, KeepsFramesApart) {
  FrameSpool spool(3, 2, 2);
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::uint8_t& byte : spool.frame(i)) byte = static_cast<std::uint8_t>(i + 1);
  for (std::int64_t i = 0; i < 3; ++i)
    for (const std::uint8_t byte : spool.frame(i)) EXPECT_EQ(byte, i + 1);
}

}  // namespace
}  // namespace qingyin::test
