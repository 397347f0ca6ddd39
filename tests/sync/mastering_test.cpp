#include "sync/mastering.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/error.h"
#include "sync/spool.h"
#include "tests/dsp/full_disk.h"
#include "tests/dsp/signals.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

struct Mastered {
  std::vector<float> mix;
  StemBlock stems;
  MasteringReport report;
};

Mastered master(const StemBlock& input, const std::string& target, std::int64_t block) {
  Mastered result;
  result.stems.stems.resize(input.stems.size());
  Mastering mastering(loudness_target(target), fs::temp_directory_path(),
                      [&](std::span<const float> mix, const StemBlock& stems) {
                        result.mix.insert(result.mix.end(), mix.begin(), mix.end());
                        for (std::size_t i = 0; i < stems.stems.size(); ++i)
                          result.stems.stems[i].insert(result.stems.stems[i].end(),
                                                       stems.stems[i].begin(),
                                                       stems.stems[i].end());
                        result.stems.length += stems.length;
                      });
  for (std::int64_t at = 0; at < input.length; at += block) {
    StemBlock next{.length = std::min(block, input.length - at), .stems = {}};
    for (const auto& stem : input.stems)
      next.stems.emplace_back(stem.begin() + 2 * at, stem.begin() + 2 * (at + next.length));
    mastering.add(std::move(next));
  }
  result.report = mastering.finish();
  return result;
}

/// Two stems: bursts on one side, a bed; `peak` is about what the bursts reach.
StemBlock scene(double burst_rms, double bed_rms, std::int64_t length = 5 * 48000 + 123) {
  std::vector<float> bursts(static_cast<std::size_t>(length));
  for (unsigned i = 0; i < 5; ++i) add_burst(bursts, 20000 + 40000 * i, burst_rms, 0.05, i);
  auto left = in_stereo(bursts);
  for (std::size_t n = 1; n < left.size(); n += 2) left[n] *= 0.3F;
  return {.length = length, .stems = {left, in_stereo(noise(bed_rms, length, 61))}};
}

LoudnessFigures measured(const std::vector<float>& stereo) {
  LoudnessMeter meter(48000, 2);
  meter.add(stereo);
  return meter.figures();
}

void expect_stems_sum_to_mix(const Mastered& got) {
  const auto sum = sum_of(got.stems);
  ASSERT_EQ(sum.size(), got.mix.size());
  for (std::size_t n = 0; n < sum.size(); ++n) ASSERT_NEAR(sum[n], got.mix[n], 1e-6) << n;
}

TEST(Mastering, NoneLeavesQuietSoundUntouched) {
  const StemBlock input = scene(0.1, 0.01);
  const Mastered got = master(input, "none", 4000);
  EXPECT_EQ(got.stems.stems, input.stems);
  EXPECT_EQ(got.mix, sum_of(input));
  EXPECT_EQ(got.report.gain_db, 0);
  EXPECT_EQ(got.report.limiter_db, 0);
  EXPECT_EQ(got.report.after.integrated_lufs, got.report.before.integrated_lufs);
}

TEST(Mastering, NoneKeepsItsCeilingAndStemsGoOnSumming) {
  const StemBlock input = scene(0.6, 0.1);
  const Mastered got = master(input, "none", 4801);
  EXPECT_EQ(got.stems.length, input.length);
  EXPECT_LE(measured(got.mix).true_peak_dbtp, -2.9);
  EXPECT_LT(got.report.limiter_db, -3);
  EXPECT_GT(got.report.before.true_peak_dbtp, 0);
  expect_stems_sum_to_mix(got);
  EXPECT_NE(got.stems.stems[1], input.stems[1]) << "the limiter acts on every stem";
}

TEST(Mastering, ReachesEveryTarget) {
  for (const LoudnessTarget& target : loudness_targets()) {
    if (!target.integrated_lufs) continue;
    for (const StemBlock& input : {scene(0.01, 0.005), scene(0.3, 0.15)}) {
      const Mastered got = master(input, target.name, 5000);
      const auto figures = measured(got.mix);
      EXPECT_NEAR(figures.integrated_lufs, *target.integrated_lufs, 0.5) << target.name;
      EXPECT_LE(figures.true_peak_dbtp, target.ceiling_dbtp + 0.1) << target.name;
      EXPECT_TRUE(got.report.is_target_met);
      EXPECT_NEAR(figures.integrated_lufs, got.report.after.integrated_lufs, 1e-6);
      EXPECT_EQ(got.stems.length, input.length);
      expect_stems_sum_to_mix(got);
    }
  }
}

// Bursts, limited by several dB: the plain gain alone falls short.
TEST(Mastering, MakesUpForWhatTheLimiterTakes) {
  std::vector<float> bursts(5 * 48000);
  for (unsigned i = 0; i < 20; ++i) add_burst(bursts, 2000 + 12000 * i, 0.1, 0.045, i);
  const Mastered got = master({.length = 5 * 48000, .stems = {in_stereo(bursts)}}, "youtube", 5000);
  ASSERT_LT(got.report.limiter_db, -2);
  EXPECT_GT(got.report.gain_db, -14 - got.report.before.integrated_lufs + 0.3);
  EXPECT_NEAR(got.report.after.integrated_lufs, -14, 0.1);
}

TEST(Mastering, OneGainKeepsTheBalanceOfTheStems) {
  const StemBlock input = scene(0.02, 0.01);
  const Mastered got = master(input, "ebu-r128", 5000);
  ASSERT_EQ(got.report.limiter_db, 0);
  const double gain = std::pow(10, got.report.gain_db / 20);
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t n = 0; n < input.stems[i].size(); ++n)
      ASSERT_NEAR(got.stems.stems[i][n], gain * input.stems[i][n], 1e-6);
}

TEST(Mastering, LeavesAloneWhatHasNoLoudness) {
  const StemBlock silence{.length = 48000, .stems = {std::vector<float>(96000)}};
  const StemBlock brief{.length = 4800, .stems = {in_stereo(sine(997, 0.3, 4800))}};
  const StemBlock faint{.length = 96000, .stems = {in_stereo(noise(0.0001, 96000, 62))}};
  for (const StemBlock& input : {silence, brief, faint}) {
    const Mastered got = master(input, "youtube", 1000);
    EXPECT_EQ(got.report.gain_db, 0);
    EXPECT_FALSE(got.report.is_target_met);
    EXPECT_FALSE(got.report.note.empty());
    EXPECT_EQ(got.stems.stems, input.stems);
  }
}

TEST(Mastering, SaysWhenPeaksForbidTheTarget) {
  std::vector<float> clicks(5 * 48000);
  for (std::size_t n = 100; n < clicks.size(); n += 24000) clicks[n] = 0.5F;
  const Mastered got = master({.length = 5 * 48000, .stems = {in_stereo(clicks)}}, "youtube", 5000);
  EXPECT_FALSE(got.report.is_target_met);
  EXPECT_FALSE(got.report.note.empty());
  EXPECT_LE(measured(got.mix).true_peak_dbtp, -0.9);
}

TEST(Mastering, BlocksChangeNothing) {
  const StemBlock input = scene(0.6, 0.1, 60000);
  for (const char* target : {"none", "podcast"})
    EXPECT_EQ(master(input, target, 60000).stems.stems, master(input, target, 333).stems.stems);
}

TEST(Mastering, TakesNothingAndRefusesAChangeOfStems) {
  const Mastered got = master({}, "none", 10);
  EXPECT_TRUE(got.mix.empty());
  Mastering mastering(loudness_target("none"), fs::temp_directory_path(), nullptr);
  mastering.add({.length = 1, .stems = {{0, 0}}});
  EXPECT_THROW(mastering.add({.length = 1, .stems = {{0, 0}, {0, 0}}}), Error);
  EXPECT_THROW(mastering.add({.length = 1, .stems = {{0, 0, 0}}}), Error);
}

TEST(LoudnessTargets, AreFoundByName) {
  EXPECT_EQ(loudness_target("netflix").integrated_lufs, -27);
  EXPECT_EQ(loudness_target("ebu-r128").ceiling_dbtp, -1);
  try {
    loudness_target("loud");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("spotify"), std::string::npos);
  }
}

TEST(Spool, GivesBackWhatItGotAsOftenAsWanted) {
  Spool spool(fs::temp_directory_path());
  const StemBlock a{.length = 2, .stems = {{1, 2, 3, 4}, {5, 6, 7, 8}}},
      b{.length = 1, .stems = {{9, 10}}};
  spool.write(a);
  spool.write({});
  spool.write(b);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(spool.read().stems, a.stems);
    EXPECT_EQ(spool.read().stems, b.stems);
    EXPECT_EQ(spool.read().length, 0);
    spool.rewind();
  }
}

ErrorCode code_of_spool(const fs::path& folder) {
  try {
    Spool spool(folder);
    spool.write({.length = 1, .stems = {{1, 2}}});
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

TEST(Spool, AFullDiskIsAnError) {
  const FullDisk full(10000);
  Spool spool(fs::temp_directory_path());
  const StemBlock block{.length = 1000, .stems = {std::vector<float>(2000)}};
  spool.write(block);
  try {
    spool.write(block);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
    EXPECT_NE(std::string(error.what()).find(fs::temp_directory_path()), std::string::npos);
  }
}

TEST(Spool, LeavesNoFileAndNeedsAFolder) {
  const fs::path folder = fs::temp_directory_path() / ("qingyin_spool_" + std::to_string(getpid()));
  fs::create_directory(folder);
  {
    Spool spool(folder);
    spool.write({.length = 1, .stems = {{1, 2}}});
    EXPECT_TRUE(fs::is_empty(folder));
  }
  fs::remove(folder);
  EXPECT_EQ(code_of_spool(folder), ErrorCode::kIo);
  EXPECT_EQ(code_of_spool("/dev/null"), ErrorCode::kIo);
}

}  // namespace
}  // namespace qingyin::test
