#include "understanding/frame_picking.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/expect_error.h"
#include "understanding/picture_preparation.h"

namespace qingyin::test {
namespace {

std::vector<double> steady(int frames, double rate_hz) {
  std::vector<double> seconds;
  for (int i = 0; i < frames; ++i) seconds.push_back(i / rate_hz);
  return seconds;
}

// 200 frames at 25 Hz fill 8 s, but a drift of the reference's clock skips one of them.
TEST(FramePicking, ExactTicksTakeEveryFrameWhereAccumulatedOnesSkip) {
  const auto seconds = steady(200, 25);
  EXPECT_EQ(pick_frames(seconds, 8, Ticks::kAccumulated).sync.size(), 199U);
  const PickedFrames exact = pick_frames(seconds, 8, Ticks::kExact);
  ASSERT_EQ(exact.sync.size(), 200U);
  for (std::size_t i = 0; i < 200; ++i) EXPECT_EQ(exact.sync[i], i);
  EXPECT_EQ(exact.clip.size(), 64U);
  const PickedLengths lengths = lengths_of(exact, 8);
  EXPECT_EQ(lengths.seconds, 8);
  EXPECT_EQ(lengths.clip_pictures, 64);
  EXPECT_EQ(lengths.sync_frames, 200);
}

TEST(FramePicking, RepeatsSlowFramesAndSkipsFastOnes) {
  FramePicker picker(8, Ticks::kExact);
  EXPECT_EQ(picker.answer(0), 1);
  EXPECT_EQ(picker.answer(0.05), 0);
  EXPECT_EQ(picker.answer(0.5), 4);
  EXPECT_EQ(picker.answer(0.5), 0);
}

TEST(FramePicking, CountsTokensOfWholeSegments) {
  EXPECT_EQ(sync_tokens(0), 0);
  EXPECT_EQ(sync_tokens(15), 0);
  EXPECT_EQ(sync_tokens(16), 8);
  EXPECT_EQ(sync_tokens(23), 8);
  EXPECT_EQ(sync_tokens(200), 192);
}

TEST(PicturePreparation, KeepsPlainColoursAndCutsOutTheMiddle) {
  constexpr std::int64_t kHeight = 90, kWidth = 160;
  std::vector<std::uint8_t> pixels(3 * kHeight * kWidth);
  for (std::int64_t i = 0; i < kHeight * kWidth; ++i) {
    const auto at = static_cast<std::size_t>(3 * i);
    pixels[at] = 10, pixels[at + 1] = 200;
    pixels[at + 2] = i % kWidth < 20 || i % kWidth >= 140 ? 255 : 0;  // blue at the sides
  }
  const RgbView view{.height = kHeight, .width = kWidth, .pixels = pixels};
  const auto plane_sum = [](const PreparedPicture& picture, std::size_t plane) {
    const std::size_t size = picture.planes.size() / 3;
    std::size_t sum = 0;
    for (std::size_t i = 0; i < size; ++i) sum += picture.planes[plane * size + i];
    return static_cast<double>(sum) / static_cast<double>(size);
  };
  const PreparedPicture clip = prepare_clip_picture(view), sync = prepare_sync_picture(view);
  EXPECT_EQ(clip.planes.size(), 3U * 384 * 384);
  EXPECT_EQ(sync.planes.size(), 3U * 224 * 224);
  EXPECT_EQ(plane_sum(clip, 0), 10);
  EXPECT_EQ(plane_sum(clip, 1), 200);
  EXPECT_NEAR(plane_sum(clip, 2), 255.0 / 4, 1);
  EXPECT_EQ(plane_sum(sync, 0), 10);
  EXPECT_EQ(plane_sum(sync, 2), 0);  // the sides are outside of the square
}

TEST(PicturePreparation, RefusesPicturesWithoutTheirPixels) {
  const std::vector<std::uint8_t> pixels(10);
  EXPECT_TRUE(
      throws_error([&] { prepare_clip_picture({.height = 2, .width = 2, .pixels = pixels}); },
                   ErrorCode::kInvalidInput, "has 10 bytes"));
  EXPECT_TRUE(throws_error([&] { prepare_sync_picture({.height = 0, .width = 2, .pixels = {}}); },
                           ErrorCode::kInvalidInput, "0 bytes"));
}

}  // namespace
}  // namespace qingyin::test
