// Convolutions by tiles against ATen's in double precision, and against themselves when the work is
// shared out in another way.
#include "audio_gen/mmaudio/tile_conv.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "audio_gen/mmaudio/tile_conv_layer.h"

namespace qingyin::mmaudio {
namespace {

struct Case {
  std::int64_t length, in, out, kernel, dilation;
};

class TileConvCases : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!can_convolve_by_tiles()) GTEST_SKIP() << "this processor has no AVX2";
    at::manual_seed(3);
  }

  const Case& c = GetParam();
};

/// Largest difference over the root mean square.
double largest_error(const at::Tensor& got, const at::Tensor& expected) {
  return ((got.to(at::kDouble) - expected).abs().max() / expected.square().mean().sqrt())
      .item<double>();
}

TEST_P(TileConvCases, GiveWhatADirectSumGives) {
  const at::NoGradGuard no_gradient;
  TileConv layer(c.in, c.out, c.kernel, true, at::kFloat, c.dilation);
  for (auto& parameter : layer->parameters()) parameter.normal_();
  const at::Tensor weight = layer->named_parameters()["weight"].to(at::kDouble),
                   bias = layer->named_parameters()["bias"].to(at::kDouble);
  const at::Tensor x = at::randn({2, c.length, c.in}), add = at::randn({2, c.length, c.out});
  const at::Tensor expected = at::conv1d(x.to(at::kDouble).transpose(1, 2), weight, bias, 1,
                                         c.kernel / 2 * c.dilation, c.dilation)
                                  .transpose(1, 2);
  EXPECT_LT(largest_error(layer(x), expected), 1e-5);
  EXPECT_EQ(layer->named_parameters()["weight"].numel(), 0);
  const at::Tensor sum = layer->add_to(add.clone(), x);
  EXPECT_LT(largest_error(sum, expected + add.to(at::kDouble)), 1e-5);
}

TEST_P(TileConvCases, DoNotDependOnHowTheTilesAreShared) {
  const at::Tensor weight = at::randn({c.out, c.kernel, c.in}), x = at::randn({c.length, c.in});
  const TileWeight tiles = tile_weight(weight.const_data_ptr<float>(), c.in, c.out, c.kernel);
  const auto run = [&](std::int64_t piece) {
    at::Tensor y = at::full({c.length, c.out}, 99.0);
    const TileConvJob job{.weight = tiles,
                          .x = x.const_data_ptr<float>(),
                          .bias = nullptr,
                          .add = nullptr,
                          .y = y.mutable_data_ptr<float>(),
                          .length = c.length,
                          .dilation = c.dilation};
    for (std::int64_t at = 0; at < job.rows(); at += piece)
      run_tile_conv(job, at, std::min(job.rows(), at + piece));
    return y;
  };
  const at::Tensor whole = run(1 << 20);
  EXPECT_TRUE(at::equal(whole, run(7)));
  EXPECT_TRUE(at::equal(whole, run(1)));
}

INSTANTIATE_TEST_SUITE_P(Kernels, TileConvCases,
                         testing::Values(Case{1, 8, 8, 3, 1}, Case{37, 20, 24, 3, 1},
                                         Case{300, 40, 100, 3, 5}, Case{101, 33, 80, 7, 3},
                                         Case{64, 16, 48, 11, 5}, Case{3, 24, 17, 11, 5},
                                         Case{1500, 9, 32, 5, 1}, Case{130, 12, 16, 7, 1}));

}  // namespace
}  // namespace qingyin::mmaudio
