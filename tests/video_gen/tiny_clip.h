#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "video_gen/video_generator.h"

namespace qingyin::test {

/// Where the tiny checkpoints of the parity fixtures are.
inline std::filesystem::path checkpoints() {
  const char* const shared = std::getenv("QINGYIN_SHARED");
  const std::filesystem::path root =
      shared != nullptr ? std::filesystem::path(shared)
                        : std::filesystem::path(QINGYIN_SOURCE_DIR) / ".." / "shared";
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

/// Of 255 levels, over all pixels.
inline double mean_difference(const std::vector<std::vector<std::uint8_t>>& a,
                              const std::vector<std::vector<std::uint8_t>>& b) {
  double difference = 0, count = 0;
  for (std::size_t f = 0; f < a.size(); ++f)
    for (std::size_t i = 0; i < a[f].size(); ++i, ++count)
      difference += std::abs(a[f][i] - b[f][i]);
  return difference / count;
}

class TinyClip : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::is_directory(checkpoints()))
      GTEST_SKIP() << checkpoints() << " is not there; set QINGYIN_SHARED";
    for (const auto& item : std::filesystem::directory_iterator(checkpoints())) {
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
    return {.width = 48, .height = 32, .frames = 9, .steps = 2, .seed = 5, .threads = 1};
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

  std::filesystem::path from_text_, from_picture_, second_;
};

}  // namespace qingyin::test
