#include "audio_gen/mmaudio/alias_free.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "tests/support/near.h"

namespace qingyin::mmaudio {
namespace {

/// What the kernel may differ from its slow twin: float32 in another order of operations.
constexpr test::Tolerance kKernel{.absolute = 1e-5, .of_rms = 5e-6};

SnakeParameters parameters(std::int64_t channels) {
  return {.alpha = at::randn({channels}) * 0.5,
          .beta = at::randn({channels}) * 0.5,
          .up_taps = at::randn({1, 1, 12}) * 0.3,
          .down_taps = at::randn({1, 1, 12}) * 0.3};
}

class AliasFreeSnake : public testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(AliasFreeSnake, EqualsItsSlowTwin) {
  at::manual_seed(3);
  const auto [length, channels] = GetParam();
  const at::Tensor x = at::randn({2, length, channels}) * 3;
  const SnakeParameters p = parameters(channels);
  EXPECT_TRUE(test::near(alias_free_snake(x, p), alias_free_snake_slow(x, p), kKernel));
}

// Lengths around the filters' reach and the kernel's tile, channels around its widths.
INSTANTIATE_TEST_SUITE_P(Sizes, AliasFreeSnake,
                         testing::Combine(testing::Values(1, 2, 3, 5, 6, 7, 63, 64, 65, 71, 300),
                                          testing::Values(1, 2, 7, 8, 15, 16, 17, 24, 48, 41)));

TEST(AliasFreeSnakeKernel, HoldsForLargeAngles) {
  at::manual_seed(4);
  SnakeParameters p = parameters(16);
  p.alpha.fill_(std::log(30.0));
  const at::Tensor x = at::randn({1, 200, 16}) * 100;
  const at::Tensor expected = alias_free_snake_slow(
      x.to(at::kDouble), {p.alpha.to(at::kDouble), p.beta.to(at::kDouble),
                          p.up_taps.to(at::kDouble), p.down_taps.to(at::kDouble)});
  // Rounding of the angle itself (of thousands of radians) moves the sine by 1e-3.
  EXPECT_TRUE(test::near(alias_free_snake(x, p), expected.to(at::kFloat), {.absolute = 5e-3}));
}

TEST(AliasFreeSnakeKernel, StaysFiniteWhereFloat32HasNoSine) {
  const SnakeParameters p = parameters(16);
  const at::Tensor y = alias_free_snake(at::full({1, 100, 16}, 1e20), p);
  EXPECT_TRUE(at::isfinite(y).all().item<bool>());
}

TEST(AliasFreeSnakeKernel, PassesNotANumberOn) {
  at::Tensor x = at::zeros({1, 100, 16});
  x[0][50] = std::nan("");
  const at::Tensor is_nan = at::isnan(alias_free_snake(x, parameters(16)));
  EXPECT_TRUE(is_nan[0][50].all().item<bool>());
  EXPECT_FALSE(is_nan[0][40].any().item<bool>());
}

TEST(AliasFreeSnakeKernel, DoesNotDependOnTheNumberOfThreads) {
  at::manual_seed(5);
  const at::Tensor x = at::randn({1, 5000, 24});
  const SnakeParameters p = parameters(24);
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor alone = alias_free_snake(x, p);
  at::set_num_threads(3);
  const at::Tensor shared = alias_free_snake(x, p);
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(alone, shared));
}

TEST(AliasFreeSnakeKernel, ReadsWhatIsNotContiguous) {
  at::manual_seed(6);
  const at::Tensor x = at::randn({2, 24, 70}).transpose(1, 2);
  const SnakeParameters p = parameters(24);
  EXPECT_TRUE(test::near(alias_free_snake(x, p), alias_free_snake_slow(x, p), kKernel));
}

}  // namespace
}  // namespace qingyin::mmaudio
