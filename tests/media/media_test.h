#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/media/clip.h"
#include "core/media/frame_reader.h"

namespace qingyin::test {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

/// Tests on real containers, which the ffmpeg program makes in a folder of the test's own.
/// Without ffmpeg they are skipped.
class MediaTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  const fs::path& folder() const { return folder_; }
  /// Runs `ffmpeg ARGUMENTS folder/name`; the test fails if ffmpeg does.
  fs::path make(const std::string& name, const Words& arguments) const;
  /// A 4 s clip, 320x240 at 30 fps with B-frames, with a sine as sound.
  fs::path make_base(const std::string& name = "base.mp4") const;
  fs::path write(const std::string& name, const std::string& bytes) const;

 private:
  fs::path folder_;
};

/// What a program wrote to stdout; its exit status in `status` if not null.
std::string output_of(const Words& command, int* status = nullptr);
std::string read_bytes(const fs::path& path);

/// The sound of a file as the ffmpeg program decodes it: stereo float, [length, 2].
std::vector<float> ffmpeg_sound(const fs::path& path);
/// MD5 of each packet of the first picture, in file order.
Words packet_hashes(const fs::path& path);

/// Every frame that a request yields.
std::vector<Frame> all_frames(const fs::path& path, const FrameRequest& request);
double mean(const Frame& frame);

/// The reason of the kInvalidInput that `work` throws; "accepted" if it throws nothing, "other:
/// ..." for any other error.
template <typename Work>
std::string refusal(Work work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInvalidInput) return std::string("other: ") + error.what();
    return error.reason();
  }
  return "accepted";
}

}  // namespace qingyin::test
