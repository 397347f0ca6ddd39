#include "video_gen/preprocess.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace qingyin::test {
namespace {

RgbPicture plain(std::int64_t height, std::int64_t width, std::uint8_t value) {
  return {.height = height,
          .width = width,
          .pixels = std::vector<std::uint8_t>(static_cast<std::size_t>(height * width * 3), value)};
}

// Weights in fixed point must add up to one: a flat picture stays flat at every size.
TEST(Resized, KeepsAFlatPicture) {
  for (const std::int64_t side : {1, 7, 40, 41, 333}) {
    const RgbPicture got = resized(plain(40, 56, 201), side, 2 * side);
    for (const std::uint8_t value : got.pixels) ASSERT_EQ(value, 201) << side;
  }
}

TEST(Resized, RefusesAPictureWithoutItsPixels) {
  RgbPicture picture = plain(4, 4, 0);
  picture.pixels.pop_back();
  EXPECT_TRUE(throws_error([&] { resized(picture, 8, 8); }, ErrorCode::kInvalidInput, "4 x 4"));
  EXPECT_TRUE(
      throws_error([&] { resized(RgbPicture{}, 8, 8); }, ErrorCode::kInvalidInput, "0 x 0"));
}

// A wide picture in a square: padded it has black bars of the right height, cropped it has none.
TEST(Fitted, PadsOrCropsToTheShape) {
  const RgbPicture wide = plain(10, 20, 255);
  const RgbPicture padded = fitted(wide, 16, 16, PictureFit::kPad);
  for (std::int64_t y = 0; y < 16; ++y)
    EXPECT_EQ(padded.pixels[static_cast<std::size_t>(y * 16 * 3)], y >= 4 && y < 12 ? 255 : 0) << y;
  const RgbPicture cropped = fitted(wide, 16, 16, PictureFit::kCrop);
  EXPECT_EQ(cropped.width, 16);
  EXPECT_EQ(cropped.height, 16);
  for (const std::uint8_t value : cropped.pixels) ASSERT_EQ(value, 255);
}

TEST(Fitted, CropsTheMiddle) {
  RgbPicture picture = plain(4, 8, 0);
  for (std::int64_t y = 0; y < 4; ++y)
    for (std::int64_t x = 2; x < 6; ++x)
      picture.pixels[static_cast<std::size_t>((y * 8 + x) * 3)] = 200;
  const RgbPicture got = fitted(picture, 4, 4, PictureFit::kCrop);
  for (std::size_t i = 0; i < got.pixels.size(); i += 3) EXPECT_EQ(got.pixels[i], 200);
}

}  // namespace
}  // namespace qingyin::test
