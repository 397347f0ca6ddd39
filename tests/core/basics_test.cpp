#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "core/error.h"
#include "core/progress.h"
#include "core/time.h"
#include "tests/core/expect_error.h"

namespace qingyin {
namespace {

TEST(ErrorCodes, HaveTheirExitCodeAndName) {
  const std::vector<std::tuple<ErrorCode, int, std::string>> rows = {
      {ErrorCode::kUsage, 2, "usage"},
      {ErrorCode::kInvalidInput, 3, "invalid_input"},
      {ErrorCode::kModelMissing, 4, "model_missing"},
      {ErrorCode::kBadCheckpoint, 4, "bad_checkpoint"},
      {ErrorCode::kDevice, 5, "device"},
      {ErrorCode::kIo, 6, "io"},
      {ErrorCode::kCancelled, 7, "cancelled"},
      {ErrorCode::kInternal, 70, "internal"}};
  for (const auto& [code, exit, name] : rows) {
    EXPECT_EQ(exit_code(code), exit);
    EXPECT_EQ(name_of(code), name);
  }
}

TEST(Errors, CarryReasonAndPlace) {
  const int line = __LINE__ + 1;
  const Error error(ErrorCode::kIo, "clip.mp4: disk full", "disk_full");
  EXPECT_EQ(error.what(), std::string("clip.mp4: disk full"));
  EXPECT_EQ(error.reason(), "disk_full");
  EXPECT_EQ(error.line(), line);
  EXPECT_TRUE(std::string(error.file()).ends_with("basics_test.cpp"));
  EXPECT_NO_THROW(require(true, ErrorCode::kIo, "fine"));
  EXPECT_EQ(expect_error(ErrorCode::kUsage, [] { require(false, ErrorCode::kUsage, "no"); }), "no");
}

TEST(FrameRates, AreExactFractions) {
  EXPECT_EQ(parse_frame_rate("30000/1001"), (FrameRate{30000, 1001}));
  EXPECT_EQ(parse_frame_rate("25"), (FrameRate{25, 1}));
  EXPECT_EQ(to_string(FrameRate{25, 1}), "25/1");
  EXPECT_TRUE(parse_frame_rate("0/1").is_variable());
  EXPECT_DOUBLE_EQ((FrameRate{30000, 1001}.time_of(30000).count()), 1001.0);
  expect_error(ErrorCode::kInternal, [] { static_cast<void>(FrameRate{}.time_of(1)); });
  for (const char* bad : {"", "/", "30/", "/1", "30/0", "-30/1", "30/-1", "29.97", "30 /1", "30/1x",
                          "99999999999999999999/1", "\x1b[31m"}) {
    const auto message = expect_error(ErrorCode::kInvalidInput, [bad] { parse_frame_rate(bad); });
    EXPECT_EQ(message.find('\x1b'), std::string::npos);
  }
}

TEST(Samples, AreRoundedHalvesAway) {
  EXPECT_EQ(samples_for(Seconds(8.041), 48000), 385968);
  EXPECT_EQ(samples_for(Seconds(0.5), 1), 1);
  EXPECT_EQ(samples_for(Seconds(1001.0 / 30000), 48000), 1602);  // 1601.6
  EXPECT_EQ(samples_for(Seconds(0), 48000), 0);
}

TEST(Progress, IsMappedIntoTheWhole) {
  std::vector<double> seen;
  const Progress whole = [&](std::string_view, double fraction) {
    seen.push_back(fraction);
    return fraction < 0.7;
  };
  const Progress part = part_of(whole, 0.5, 1.0);
  EXPECT_NO_THROW(report(part, "render", 0.25));
  EXPECT_CONTAINS(expect_error(ErrorCode::kCancelled, [&] { report(part, "render", 0.5); }),
                  "render");
  EXPECT_EQ(seen, (std::vector<double>{0.625, 0.75}));
  EXPECT_NO_THROW(report({}, "render", 1));
  EXPECT_FALSE(part_of({}, 0, 1));
}

}  // namespace
}  // namespace qingyin
