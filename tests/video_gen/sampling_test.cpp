// Schedules, samplers, guidance and TeaCache against values that were computed by hand from their
// formulas. Runs against the reference are in tests/parity.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/near.h"
#include "video_gen/guidance.h"
#include "video_gen/sampler.h"
#include "video_gen/tea_cache.h"

namespace qingyin {
namespace {

using test::throws_error;

TEST(NoiseSchedule, HasTheKnownAlphas) {
  const NoiseSchedule later(cogvideox_5b_schedule()), first(cogvideox_2b_schedule());
  EXPECT_NEAR(later.alpha(1), 0.9982334461401825, 1e-13);
  EXPECT_NEAR(later.alpha(499), 0.24235916655614528, 1e-13);
  EXPECT_NEAR(later.alpha(979), 8.578784340054811e-05, 1e-15);
  EXPECT_EQ(later.alpha(999), 0);
  EXPECT_EQ(later.alpha(-1), 1);
  EXPECT_NEAR(first.alpha(0), 0.9974543276430069, 1e-13);
  EXPECT_NEAR(first.alpha(499), 0.09596956169073541, 1e-13);
}

TEST(NoiseSchedule, RoundsTrailingTimesHalfToEven) {
  const NoiseSchedule schedule(cogvideox_5b_schedule());
  // 1000, 937.5, 875, 812.5, 750, ...: the halves go to 938 and 812.
  const auto times = schedule.timesteps(16);
  EXPECT_EQ(times[1], 937);
  EXPECT_EQ(times[3], 811);
}

TEST(NoiseSchedule, KnowsTheOtherSpacings) {
  NoiseScheduleConfig config = cogvideox_5b_schedule();
  config.timestep_spacing = TimestepSpacing::kLeading;
  EXPECT_EQ(NoiseSchedule(config).timesteps(4), (std::vector<std::int64_t>{750, 500, 250, 0}));
  config.timestep_spacing = TimestepSpacing::kLinspace;
  EXPECT_EQ(NoiseSchedule(config).timesteps(4), (std::vector<std::int64_t>{999, 666, 333, 0}));
}

TEST(NoiseSchedule, RefusesWhatNoModelHas) {
  const auto read = [](const char* json) {
    return [json] { read_noise_schedule_config(ConfigFile::parse(json, "scheduler_config.json")); };
  };
  EXPECT_TRUE(throws_error(read(R"({"clip_sample": false})"), ErrorCode::kBadCheckpoint,
                           "prediction_type"));
  EXPECT_TRUE(throws_error(
      read(R"({"clip_sample": false, "prediction_type": "v_prediction", "beta_end": 1.5})"),
      ErrorCode::kBadCheckpoint, "beta_end"));
  const NoiseSchedule schedule(cogvideox_5b_schedule());
  EXPECT_TRUE(
      throws_error([&] { schedule.timesteps(0); }, ErrorCode::kUsage, "expected 1 to 1000"));
  EXPECT_TRUE(throws_error([&] { schedule.timesteps(1001); }, ErrorCode::kUsage, "1001 steps"));
}

Sampler sampler_of(SamplerKind kind, std::int64_t steps, double strength = 1,
                   PreviousTimestep previous = PreviousTimestep::kCompatible) {
  const NoiseSchedule schedule(cogvideox_5b_schedule());
  return {schedule, plan_steps(schedule, kind, steps, strength, previous)};
}

TEST(Sampler, DdimHasTheKnownCoefficients) {
  const Sampler sampler = sampler_of(SamplerKind::kDdim, 50);
  const auto value = [&](std::size_t i, double v, double x) {
    return sampler.step(i, at::full({1}, v, at::kDouble), at::full({1}, x, at::kDouble), {}, {})
        .sample.item<double>();
  };
  EXPECT_NEAR(value(0, 0, 1), 0.999957105158, 1e-11);   // all of x, nothing of the clip
  EXPECT_NEAR(value(0, -1, 0), 0.009262172715, 1e-11);  // v = -1 is a clip of 1
  // At the last step, t = 19, the result is the clip that the model sees.
  const double a = sampler.schedule().alpha(19);
  EXPECT_NEAR(value(49, 0.5, 2), 2 * std::sqrt(a) - 0.5 * std::sqrt(1 - a), 1e-12);
}

TEST(Sampler, RoundsHalfPrecisionLatentsAsTheReference) {
  const Sampler sampler = sampler_of(SamplerKind::kDdim, 50);
  at::manual_seed(5);
  const at::Tensor x = at::randn({64}).to(at::kBFloat16), v = at::randn({64});
  const double a = sampler.schedule().alpha(499), end = sampler.schedule().alpha(479);
  const double of_x = std::sqrt((1 - end) / (1 - a));
  const at::Tensor clean = (std::sqrt(a) * x).to(at::kFloat) - std::sqrt(1 - a) * v;
  const at::Tensor wanted =
      (of_x * x).to(at::kFloat) + (std::sqrt(end) - std::sqrt(a) * of_x) * clean;
  const SamplerResult got = sampler.step(25, v, x, {}, {});
  EXPECT_EQ(got.clean.scalar_type(), at::kFloat);
  EXPECT_TRUE(test::near(got.sample, wanted, {.absolute = 1e-6}));
}

TEST(Sampler, EndsExactlyOnTheListIfAsked) {
  const Sampler compatible = sampler_of(SamplerKind::kDpm, 30);
  const Sampler exact = sampler_of(SamplerKind::kDpm, 30, 1, PreviousTimestep::kExact);
  EXPECT_EQ(compatible.end_of(1), 933);
  EXPECT_EQ(exact.end_of(1), 932);
  EXPECT_EQ(exact.end_of(1), exact.steps().timesteps[2]);
  EXPECT_EQ(exact.end_of(29), -1);
  // 35 steps: the reference ends at time 0, where noise is left.
  EXPECT_EQ(sampler_of(SamplerKind::kDpm, 35).end_of(34), 0);
  for (const std::int64_t n : {10, 20, 25, 40, 50, 100})
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i)
      EXPECT_EQ(sampler_of(SamplerKind::kDdim, n).end_of(i),
                sampler_of(SamplerKind::kDdim, n, 1, PreviousTimestep::kExact).end_of(i))
          << n << " steps, step " << i;
}

TEST(Sampler, KeepsStepsByStrengthInDouble) {
  EXPECT_EQ(sampler_of(SamplerKind::kDpm, 50, 0.58).steps().timesteps.size(), 28U);
  EXPECT_EQ(sampler_of(SamplerKind::kDpm, 5, 0.8).steps().timesteps.size(), 4U);
  EXPECT_TRUE(
      throws_error([] { sampler_of(SamplerKind::kDpm, 5, 0.1); }, ErrorCode::kUsage, "keeps none"));
  EXPECT_TRUE(
      throws_error([] { sampler_of(SamplerKind::kDpm, 5, 1.5); }, ErrorCode::kUsage, "strength"));
}

TEST(Sampler, RunsTheFourDistilledSteps) {
  const NoiseSchedule schedule(cogvideox_2b_schedule());
  const Sampler sampler(schedule, four_distilled_steps(SamplerKind::kDdim));
  EXPECT_EQ(sampler.end_of(0), 856);
  EXPECT_EQ(sampler.end_of(2), 399);
  EXPECT_EQ(sampler.end_of(3), -1);
  EXPECT_TRUE(throws_error(
      [&] {
        Sampler(schedule, {.kind = SamplerKind::kDdim, .timesteps = {3, 5}, .planned = 2});
      },
      ErrorCode::kUsage, "must fall"));
}

TEST(Guidance, WavesAsTheReference) {
  const auto times = NoiseSchedule(cogvideox_5b_schedule()).timesteps(50);
  const double known[] = {2.2915, 2.5435, 6.9744, 6.4204, 2.7881,
                          4.2719, 1.0376, 4.1704, 1.618,  6.9831};
  for (int i = 0; i < 10; ++i)
    EXPECT_NEAR(guidance_weight(GuidanceCurve::kWave, 6, 50, i, times[static_cast<std::size_t>(i)]),
                known[i], 1e-4);
}

TEST(Guidance, FallsSmoothlyOrStays) {
  EXPECT_EQ(guidance_weight(GuidanceCurve::kConstant, 6, 50, 7, 859), 6);
  EXPECT_NEAR(guidance_weight(GuidanceCurve::kSmooth, 6, 50, 0, 999), 7, 1e-12);
  for (int i = 1; i < 50; ++i)
    EXPECT_LT(guidance_weight(GuidanceCurve::kSmooth, 6, 50, i, 0),
              guidance_weight(GuidanceCurve::kSmooth, 6, 50, i - 1, 0));
  EXPECT_LT(guidance_weight(GuidanceCurve::kSmooth, 6, 50, 49, 0), 1.01);
}

TEST(Guidance, TakesTheNegativeHalfFirst) {
  const at::Tensor halves = at::tensor({1.0F, 3.0F}).view({2, 1});
  EXPECT_NEAR(guide(halves, 2).item<double>(), 1 + 2 * (3 - 1), 1e-6);
}

TEST(TeaCache, AddsUpChangesUntilTheThreshold) {
  // The identity as polynomial: 0.04 + 0.04 < 0.1, and the third change passes it.
  const std::vector<double> changes(9, 0.04);
  const std::vector<bool> skipped = steps_to_skip(changes, {1, 0}, 0.1);
  EXPECT_EQ(skipped, (std::vector<bool>{0, 1, 1, 0, 1, 1, 0, 1, 1, 0}));
  for (const bool is_skipped : steps_to_skip(changes, {1, 0}, 0)) EXPECT_FALSE(is_skipped);
  EXPECT_EQ(steps_to_skip(std::vector<double>(3, 0.0), {1, 0}, 9), (std::vector<bool>{0, 1, 1, 0}));
}

TEST(TeaCache, HasCoefficientsForPublishedShapesOnly) {
  EXPECT_EQ(tea_coefficients(cogvideox_2b()).front(), -3.10658903e+01);
  EXPECT_EQ(tea_coefficients(cogvideox_5b_i2v()), tea_coefficients(cogvideox_5b()));
  EXPECT_NE(tea_coefficients(cogvideox_15_5b_i2v()), tea_coefficients(cogvideox_15_5b()));
  CogTransformerConfig other = cogvideox_2b();
  other.num_layers = 7;
  EXPECT_TRUE(throws_error([&] { tea_coefficients(other); }, ErrorCode::kUsage, "another shape"));
}

}  // namespace
}  // namespace qingyin
