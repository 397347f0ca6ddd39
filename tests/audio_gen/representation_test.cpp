#include "audio_gen/bundled/representation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "audio_gen/bundled/event_control.h"
#include "audio_gen/bundled/latent_codec.h"
#include "core/philox.h"
#include "models/checkpoint/safetensors.h"
#include "tests/core/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::bundled {
namespace {

using test::TemporaryFolder;

const std::filesystem::path kLatent =
    std::filesystem::path(QINGYIN_SOURCE_DIR) / "models/bundled/latent.safetensors";

/// A struck tone with a noisy start: what the latent is for.
std::vector<float> knock() {
  std::vector<float> sound(kWindowTokens * kTokenSamples);
  std::vector<float> noise(sound.size());
  Philox(1, 1).normal(noise);
  for (std::size_t i = kLeadSamples; i < sound.size(); ++i) {
    const double t = static_cast<double>(i - kLeadSamples) / kSampleRate;
    sound[i] = static_cast<float>(0.2 * std::exp(-t / 0.1) * std::sin(2 * M_PI * 700 * t) +
                                  0.05 * std::exp(-t / 0.02) * noise[i]);
  }
  return sound;
}

TEST(Representation, LoudestRmsFindsTheLoudestFiftyMilliseconds) {
  std::vector<float> sound(48000, 0.01F);
  for (std::size_t i = 20000; i < 22400; ++i) sound[i] = -0.5F;
  EXPECT_NEAR(loudest_rms(sound), 0.5, 1e-6);
  EXPECT_NEAR(loudest_rms(std::vector<float>(100, 0.25F)), 0.25, 1e-6);
  EXPECT_EQ(loudest_rms({}), 0);
  EXPECT_NEAR(dbfs_of(amplitude_of(-37)), -37, 1e-9);
}

TEST(Representation, LogMelHasAFramePerHopAndAFloor) {
  const auto mel = clamped_log_mel(std::vector<float>(4800));
  ASSERT_EQ(mel.size(), 10u * kMelBands);
  for (const float value : mel) EXPECT_EQ(value, kQuietestLogMel);
}

TEST(LatentCodec, RoundTripKeepsASound) {
  const LatentCodec codec(kLatent);
  const auto mel = clamped_log_mel(knock());
  const auto latents = codec.encode(mel);
  ASSERT_EQ(latents.size(), static_cast<std::size_t>(kWindowTokens * kLatentSize));
  const auto back = codec.decode(latents);
  ASSERT_EQ(back.size(), mel.size());
  double sum = 0;
  for (std::size_t i = 0; i < mel.size(); ++i) sum += std::abs(mel[i] - back[i]);
  EXPECT_LT(sum / static_cast<double>(mel.size()), 0.2);  // nepers
}

TEST(LatentCodec, EncodingTwiceIsAProjection) {
  const LatentCodec codec(kLatent);
  const auto once = codec.encode(clamped_log_mel(knock()));
  const auto twice = codec.encode(codec.decode(once));
  double error = 0, size = 0;
  for (std::size_t i = 0; i < once.size(); ++i) {
    error += std::pow(once[i] - twice[i], 2);
    size += std::pow(once[i], 2);
  }
  EXPECT_LT(error / size, 0.01);
}

LatentCodec::Tables scattering_tables() {
  constexpr auto kPatch = static_cast<std::size_t>(kMelBands * kFramesPerToken);
  constexpr auto kSize = static_cast<std::size_t>(kLatentSize);
  constexpr auto kRest = kPatch - kSize;
  constexpr auto kHidden = static_cast<std::size_t>(kGrainHidden);
  LatentCodec::Tables t{.mean = std::vector<float>(kMelBands),
                        .deviation = std::vector<float>(kMelBands, 1),
                        .components = std::vector<float>(kSize * kPatch),
                        .scale = std::vector<float>(kSize, 1),
                        .grain_components = std::vector<float>(kRest * kPatch),
                        .grain_scale = std::vector<float>(kRest, 1),
                        .grain_weight1 = std::vector<float>(kSize * kHidden),
                        .grain_bias1 = std::vector<float>(kHidden),
                        .grain_weight2 = std::vector<float>(kHidden * kHidden),
                        .grain_bias2 = std::vector<float>(kHidden),
                        .grain_weight3 = std::vector<float>(kHidden * 2 * kRest),
                        .grain_bias3 = std::vector<float>(2 * kRest)};
  for (std::size_t i = 0; i < kSize; ++i) t.components[i * kPatch + i] = 1;
  for (std::size_t r = 0; r < kRest; ++r) t.grain_components[r * kPatch + kSize + r] = 1;
  // Latent 0 says, by way of two layers, how far the grain scatters: by its own exponential.
  t.grain_weight1[0] = t.grain_weight2[0] = 1;
  for (std::size_t r = 0; r < kRest; ++r) t.grain_weight3[kRest + r] = 1;
  return t;
}

TEST(LatentCodec, GrainScattersAsTheLatentsSayAndDependsOnSeedAndPlaceAlone) {
  const LatentCodec codec(scattering_tables());
  constexpr auto kSize = static_cast<std::size_t>(kLatentSize);
  std::vector<float> latents(20 * kSize);
  for (std::size_t t = 0; t < 20; ++t) latents[t * kSize] = 1;
  const auto grain = codec.decode(latents, 5, 0);
  const auto plain = codec.decode(latents);
  double squares = 0;
  for (std::size_t i = 0; i < grain.size(); ++i) squares += std::pow(grain[i] - plain[i], 2);
  EXPECT_NEAR(std::sqrt(squares / (20 * 304)), std::exp(1), 0.1);
  EXPECT_NE(codec.decode(latents, 6, 0), grain);
  const auto end = codec.decode(std::span(latents).subspan(12 * kSize), 5, 12);
  EXPECT_TRUE(std::equal(end.begin(), end.end(), grain.begin() + 12 * 400));
}

TEST(LatentCodec, RefusesAnotherFile) {
  const TemporaryFolder folder;
  const std::vector<float> values(100);
  write_safetensors_file(folder / "latent.safetensors",
                         {{"mean", DType::kF32, {100}, std::as_bytes(std::span(values))},
                          {"gain", DType::kF32, {100}, std::as_bytes(std::span(values))}},
                         {}, Overwrite::kNo);
  const auto message = expect_error(ErrorCode::kBadCheckpoint,
                                    [&] { LatentCodec codec(folder / "latent.safetensors"); });
  EXPECT_CONTAINS(message, "unexpected  gain");
  EXPECT_CONTAINS(message, "missing     components");
  EXPECT_CONTAINS(message, "missing     scale");
  expect_error(ErrorCode::kModelMissing, [&] { LatentCodec codec(folder / "none.safetensors"); });
  expect_error(ErrorCode::kInternal, [] { LatentCodec codec(LatentCodec::Tables{}); });
}

TEST(EventControl, FollowsOnsetOffsetAndCurve) {
  const std::vector<float> curve(100, 0.1F);  // -20 dB
  const auto control = event_control({false, true, 0.10, curve}, 0, 6);
  const auto at = [&](int token, int what) {
    return control[static_cast<std::size_t>(3 * token + what)];
  };
  EXPECT_EQ(at(0, 1), 0);  // the lead
  EXPECT_EQ(at(0, 0), 0);
  EXPECT_EQ(at(1, 1), 1);  // 0 to 40 ms
  EXPECT_NEAR(at(1, 0), 0.5, 1e-5);
  EXPECT_NEAR(at(3, 1), 0.5, 1e-5);  // 80 to 120 ms, driven until 100
  EXPECT_EQ(at(4, 1), 0);
  EXPECT_EQ(at(1, 2), 0);
  EXPECT_NEAR(at(5, 2), 0.16 / 2, 1e-5);
}

TEST(EventControl, TextureIsAlwaysFullAndOld) {
  for (const float value : event_control({true, false, 0, {}}, 0, 4)) EXPECT_EQ(value, 1);
}

TEST(EventControl, DoesNotDependOnTheCut) {
  std::vector<float> curve(300);
  Philox random(4, 4);
  for (std::size_t i = 0; i < curve.size(); ++i) curve[i] = random.uniform(i);
  const SoundCourse course{false, true, 2.5, curve};
  const auto whole = event_control(course, 0, 56), part = event_control(course, 24, 32);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 24 * kControls));
}

}  // namespace
}  // namespace qingyin::bundled
