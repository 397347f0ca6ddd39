#include "core/dsp/resample.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/dsp/signals.h"

namespace qingyin::test {
namespace {

double snr_db(const std::vector<float>& got, const std::vector<float>& want, std::size_t margin) {
  double signal = 0, error = 0;
  for (std::size_t n = margin; n + margin < want.size(); ++n) {
    signal += want[n] * want[n];
    error += (got[n] - want[n]) * (got[n] - want[n]);
  }
  return 10 * std::log10(signal / error);
}

TEST(Resample, KeepsASine) {
  for (const auto& [from, to] : {std::pair{44100, 48000}, {48000, 16000}, {16000, 48000}}) {
    const auto got = resample({.samples = sine(997, 0.5, from, from), .sample_rate_hz = from}, to);
    const auto want = sine(997, 0.5, to, to);
    ASSERT_EQ(got.sample_rate_hz, to);
    ASSERT_EQ(got.samples.size(), want.size());
    EXPECT_GT(snr_db(got.samples, want, static_cast<std::size_t>(to / 50)), 95)
        << from << " to " << to;
  }
}

TEST(Resample, RemovesWhatTheLowerRateCannotHold) {
  const auto got = resample({.samples = sine(12000, 0.5, 48000), .sample_rate_hz = 48000}, 16000);
  for (std::size_t n = 400; n + 400 < got.samples.size(); ++n)
    ASSERT_LT(std::abs(got.samples[n]), 1e-5F);
}

TEST(Resample, HasTheRoundedLengthAndKeepsChannelsApart) {
  for (const std::int64_t length : {0, 1, 2, 3, 1001}) {
    const auto left = sine(440, 0.5, length, 44100);
    AudioBuffer stereo{.samples = {}, .sample_rate_hz = 44100, .channels = 2};
    for (const float sample : left) stereo.samples.insert(stereo.samples.end(), {sample, 0.0F});
    const auto got = resample(stereo, 48000);
    EXPECT_EQ(got.length(), std::llround(static_cast<double>(length) * 48000 / 44100));
    for (std::size_t n = 1; n < got.samples.size(); n += 2) ASSERT_EQ(got.samples[n], 0.0F);
  }
}

TEST(Resample, LeavesTheSameRateAlone) {
  const AudioBuffer x{.samples = noise(0.1, 100, 5), .sample_rate_hz = 48000};
  EXPECT_EQ(resample(x, 48000).samples, x.samples);
  EXPECT_THROW(resample(x, 0), Error);
}

}  // namespace
}  // namespace qingyin::test
