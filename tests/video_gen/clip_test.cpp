// The stage on the tiny checkpoints of the parity fixtures: what a user of the program meets.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "core/error.h"
#include "models/checkpoint/tensor_io.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/video_gen/tiny_clip.h"
#include "video_gen/frame_spool.h"
#include "video_gen/video_generator.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

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
  EXPECT_NE(rounded, exact);
  EXPECT_LT(mean_difference(rounded, exact), 4);
}

// Less memory, and nearly the same picture.
TEST_F(TinyClip, IsMadeInEightBits) {
  VideoSettings settings = small();
  const auto exact = frames_of(settings);
  const auto generator = open_video_generator(from_text_);
  const VideoEstimate full = generator->estimate(a_fox(), settings);
  settings.weights = VideoWeights::kInt8;
  const VideoEstimate rounded = generator->estimate(a_fox(), settings);
  EXPECT_TRUE(rounded.memory.has_int8_blocks);
  EXPECT_LT(rounded.memory.stages[1].weights_bytes, full.memory.stages[1].weights_bytes);
  const auto frames = frames_of(settings);
  EXPECT_EQ(frames_of(settings), frames) << "the same seed gives the same frames";
  EXPECT_NE(frames, exact);
  EXPECT_LT(mean_difference(frames, exact), 1);
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

// The decoder is the last to be loaded, hours after the beginning: a file that is cut off, and a
// LoRA of another model, are known before the first step.
TEST_F(TinyClip, NamesDamagedFilesBeforeTheRun) {
  const TemporaryFolder folder;
  const fs::path copy = folder.path() / "copy";
  copy_checkpoint(from_text_, copy);
  VideoSettings settings = small();
  settings.loras = {{.file = folder.path() / "lora.safetensors"}};
  const std::string module = "transformer_blocks.0.attn1.to_q";
  write_safetensors(settings.loras[0].file,
                    {{module + ".lora_A.weight", at::ones({2, 48})},
                     {module + ".lora_B.weight", at::ones({48, 2})}},
                    {}, Overwrite::kYes);
  const auto refused = [&](const char* part) {
    Frames frames;
    const auto generator = open_video_generator(copy);
    const Progress none = [](std::string_view what, double) {
      ADD_FAILURE() << "it was begun: " << what;
      return true;
    };
    EXPECT_TRUE(throws_error([&] { generator->estimate(a_fox(), settings); },
                             ErrorCode::kBadCheckpoint, part));
    EXPECT_TRUE(throws_error([&] { generator->generate(a_fox(), settings, frames, none); },
                             ErrorCode::kBadCheckpoint, part));
  };
  refused("made for another model");
  settings.loras.clear();
  for (const auto& item : fs::directory_iterator(copy / "vae")) {
    if (item.path().extension() != ".safetensors") continue;
    fs::permissions(item.path(), fs::perms::owner_all);
    fs::resize_file(item.path(), fs::file_size(item.path()) - 100);
  }
  refused("vae");
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
