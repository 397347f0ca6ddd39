#include "sync/stem_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "core/dsp/audio_file.h"
#include "core/error.h"
#include "sync/mastering.h"
#include "tests/dsp/signals.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

class StemFolder : public ::testing::Test {
 protected:
  void SetUp() override { fs::remove_all(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  const fs::path folder_ =
      fs::temp_directory_path() / ("qingyin_stems_" + std::to_string(getpid()));
};

TEST_F(StemFolder, StemsSumToTheMixThoughTheLimiterActs) {
  constexpr std::int64_t kLength = 96123;
  const StemBlock input{
      .length = kLength,
      .stems = {in_stereo(noise(0.3, kLength, 81)), in_stereo(noise(0.2, kLength, 82)),
                in_stereo(sine(100, 0.4, kLength))}};
  StemWriter writer(folder_, {"foley", "nature", "original"}, Overwrite::kNo);
  Mastering mastering(
      loudness_target("none"), fs::temp_directory_path(),
      [&](std::span<const float> mix, const StemBlock& stems) { writer.write(mix, stems); });
  mastering.add(input);
  EXPECT_LT(mastering.finish().limiter_db, -1);
  writer.finish();

  ASSERT_EQ(writer.files().size(), 4U);
  EXPECT_EQ(writer.files().front(), folder_ / "foley.wav");
  EXPECT_EQ(writer.files().back(), folder_ / "mix.wav");
  EXPECT_EQ(writer.clipped(), 0);
  std::vector<double> sum(2 * kLength);
  for (std::size_t i = 0; i < 3; ++i) {
    const AudioBuffer stem = read_audio_file(writer.files()[i]);
    ASSERT_EQ(stem.length(), kLength);
    ASSERT_EQ(stem.sample_rate_hz, 48000);
    for (std::size_t n = 0; n < sum.size(); ++n) sum[n] += stem.samples[n];
  }
  const AudioBuffer mix = read_audio_file(writer.files().back());
  ASSERT_EQ(mix.length(), kLength);
  for (std::size_t n = 0; n < sum.size(); ++n)
    ASSERT_NEAR(mix.samples[n], sum[n], 2.1 / 8388608) << n;  // half a step for each of 4 files
  std::ifstream file(writer.files().front(), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(bytes.find("bext"), std::string::npos);
}

TEST_F(StemFolder, LeavesNothingUnlessFinished) {
  {
    StemWriter writer(folder_, {"a"}, Overwrite::kNo);
    const std::vector<float> silence(20);
    writer.write(silence, {.length = 10, .stems = {silence}});
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(StemFolder, OverwritesOnlyWhenTold) {
  fs::create_directory(folder_);
  std::ofstream(folder_ / "mix.wav") << "mine";
  EXPECT_THROW(StemWriter(folder_, {"a"}, Overwrite::kNo), Error);
  EXPECT_EQ(fs::file_size(folder_ / "mix.wav"), 4U);
  StemWriter writer(folder_, {"a"}, Overwrite::kYes);
  writer.finish();
  EXPECT_NE(fs::file_size(folder_ / "mix.wav"), 4U);
}

TEST_F(StemFolder, RefusesWhatCannotBe) {
  EXPECT_THROW(StemWriter(folder_ / "no" / "where", {"a"}, Overwrite::kNo), Error);
  EXPECT_THROW(StemWriter("/dev/null", {"a"}, Overwrite::kNo), Error);
  StemWriter writer(folder_, {"a", "b"}, Overwrite::kNo);
  const std::vector<float> two(2);
  EXPECT_THROW(writer.write(two, {.length = 1, .stems = {two}}), Error);
}

TEST(StemFileNames, AreSafeAndUnlike) {
  const std::vector<std::string> lanes = {"foley", "Foley", "mix", "a/b c", "../x",
                                          "",      "雨声",  "-v",  "a_b_c"};
  const std::vector<std::string> want = {"foley", "Foley_2", "mix_2", "a_b_c",  "_._x",
                                         "stem",  "__",      "_v",    "a_b_c_2"};
  EXPECT_EQ(stem_file_names(lanes), want);
  EXPECT_LE(stem_file_names({std::string(500, 'x')}).front().size(), 64U);
}

}  // namespace
}  // namespace qingyin::test
