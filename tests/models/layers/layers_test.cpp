// Layers against their definitions, written out in plain loops.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/error.h"
#include "models/layers/conv_next.h"
#include "models/layers/fast_cpu.h"
#include "models/layers/int8_weight.h"
#include "models/layers/transformer.h"

namespace qingyin {
namespace {

class Layers : public ::testing::Test {
 protected:
  Layers() { at::manual_seed(3); }
  c10::NoGradGuard no_grad_;
};

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

std::map<std::string, at::Tensor> weights_of(const torch::nn::Module& module) {
  std::map<std::string, at::Tensor> result;
  for (const auto& item : module.named_parameters()) {
    result[item.key()] = item.value().to(at::kDouble);
  }
  return result;
}

at::Tensor affine(const std::map<std::string, at::Tensor>& w, const std::string& name,
                  const at::Tensor& x) {
  return at::matmul(x, w.at(name + ".weight").t()) + w.at(name + ".bias");
}

at::Tensor normalised(const at::Tensor& x) {
  const at::Tensor centred = x - x.mean(-1, true);
  return centred / (centred.square().mean(-1, true) + 1e-5).sqrt();
}

at::Tensor tanh_gelu(const at::Tensor& x) {
  return 0.5 * x * (1 + at::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x.pow(3))));
}

TEST_F(Layers, EightBitsAreTheNearestOf255StepsOfEachChannel) {
  at::Tensor weight = at::randn({4, 3, 5}).permute({0, 2, 1});  // [4, 5, 3], not contiguous
  weight[2].zero_();
  const Int8Weight small(weight);
  const at::Tensor restored = small.restored(), values = small.values(at::kFloat);
  EXPECT_EQ(values.strides(), weight.strides());
  EXPECT_EQ(small.bytes(), weight.numel() + 4 * 4);
  for (int channel = 0; channel < 4; ++channel) {
    const double step = weight[channel].abs().max().item<double>() / 127;
    EXPECT_LE(largest_difference(restored[channel], weight[channel]), step / 2 * 1.0001);
    EXPECT_TRUE(values[channel].equal(values[channel].round()));
  }
  const at::Tensor x = at::randn({7, 15}), bias = at::randn({4});
  const at::Tensor product = at::matmul(x, values.flatten(1).t());
  const at::Tensor wanted = at::matmul(x, restored.flatten(1).t()) + bias;
  EXPECT_LT(largest_difference(small.finish(product, bias), wanted), 1e-4);
  EXPECT_TRUE(small.values(at::kBFloat16).to(at::kFloat).equal(values));
}

TEST_F(Layers, DepthwiseConvolutionIsTheSumOverItsTaps) {
  const at::Tensor x = at::randn({2, 9, 3}), weight = at::randn({5, 3}), bias = at::randn({3});
  at::Tensor wanted = at::zeros({2, 9, 3});
  for (int b = 0; b < 2; ++b) {
    for (int t = 0; t < 9; ++t) {
      for (int c = 0; c < 3; ++c) {
        float sum = bias[c].item<float>();
        for (int k = 0; k < 5; ++k) {
          const int from = t + k - 2;
          if (from >= 0 && from < 9) {
            sum += weight[k][c].item<float>() * x[b][from][c].item<float>();
          }
        }
        wanted[b][t][c] = sum;
      }
    }
  }
  EXPECT_LT(largest_difference(depthwise_conv(x, weight, bias), wanted), 1e-5);
}

TEST_F(Layers, ConvNextFollowsItsFormula) {
  ConvNext block(6, 12, 3, 0.5);
  const auto w = weights_of(*block);
  const at::Tensor x = at::randn({2, 7, 6}), wide = x.to(at::kDouble);
  at::Tensor y = depthwise_conv(wide, w.at("depthwise_weight"), w.at("depthwise_bias"));
  y = normalised(y) * w.at("norm.weight") + w.at("norm.bias");
  y = affine(w, "pointwise2", tanh_gelu(affine(w, "pointwise1", y)));
  EXPECT_LT(largest_difference(block(x), wide + 0.5 * y), 1e-5);
}

TEST_F(Layers, RopeTurnsPairsByTheirPosition) {
  const at::Tensor x = at::randn({1, 1, 4, 6});
  const at::Tensor y = apply_rope(x, 5);
  for (int t = 0; t < 4; ++t) {
    for (int j = 0; j < 3; ++j) {
      const double angle = (5 + t) * std::pow(10000.0, -2.0 * j / 6);
      const double a = x[0][0][t][j].item<double>(), b = x[0][0][t][j + 3].item<double>();
      EXPECT_NEAR(y[0][0][t][j].item<double>(), a * std::cos(angle) - b * std::sin(angle), 1e-5);
      EXPECT_NEAR(y[0][0][t][j + 3].item<double>(), b * std::cos(angle) + a * std::sin(angle),
                  1e-5);
    }
  }
}

TEST_F(Layers, RopeMakesProductsDependOnDistanceOnly) {
  const at::Tensor q = at::randn({1, 1, 3, 8}), k = at::randn({1, 1, 3, 8});
  const auto products = [&](std::int64_t first) {
    return at::matmul(apply_rope(q, first), apply_rope(k, first).transpose(2, 3));
  };
  EXPECT_LT(largest_difference(products(0), products(40)), 1e-4);
}

TEST_F(Layers, TimestepEmbeddingHasCosinesThenSines) {
  const at::Tensor e = timestep_embedding(at::tensor({0.0F, 0.3F}), 8);
  for (int j = 0; j < 4; ++j) {
    const double angle = 1000 * 0.3 * std::pow(10000.0, -j / 4.0);
    EXPECT_NEAR(e[1][j].item<double>(), std::cos(angle), 1e-3);
    EXPECT_NEAR(e[1][j + 4].item<double>(), std::sin(angle), 1e-3);
    EXPECT_EQ(e[0][j].item<float>(), 1);
  }
}

TEST_F(Layers, FreshTransformerBlockIsTheIdentity) {
  TransformerBlock block(TransformerBlockConfig{.dim = 8, .heads = 2});
  const at::Tensor x = at::randn({2, 5, 8});
  EXPECT_EQ(largest_difference(block(x, at::randn({2, 8})), x), 0);
}

/// Attention of one head, query by query.
at::Tensor attend_slowly(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  at::Tensor result = at::zeros_like(v);
  for (std::int64_t t = 0; t < q.size(0); ++t) {
    const at::Tensor scores = at::mv(k, q[t]) / std::sqrt(static_cast<double>(q.size(1)));
    const at::Tensor weight = (scores - scores.max()).exp();
    result[t] = at::mv(v.t(), weight / weight.sum());
  }
  return result;
}

TEST_F(Layers, TransformerBlockFollowsItsFormula) {
  constexpr std::int64_t kDim = 12, kHeads = 3, kTokens = 6;
  TransformerBlock block(TransformerBlockConfig{.dim = kDim, .heads = kHeads});
  for (auto& p : block->parameters()) p.normal_(0, 0.4);
  const auto w = weights_of(*block);
  const at::Tensor x = at::randn({1, kTokens, kDim}), condition = at::randn({1, kDim});

  const at::Tensor m = affine(w, "modulation", condition.to(at::kDouble))[0].view({6, kDim});
  at::Tensor y = x[0].to(at::kDouble);
  const at::Tensor qkv = affine(w, "qkv", normalised(y) * (1 + m[1]) + m[0]);
  const auto head = [&](std::int64_t part, std::int64_t h) {
    const std::int64_t width = kDim / kHeads;
    return qkv.narrow(1, part * kDim + h * width, width);
  };
  const auto turned = [&](const at::Tensor& t) {
    const at::Tensor unit = t / (t.square().mean(1, true) + 1e-6).sqrt();
    return apply_rope(unit.view({1, 1, kTokens, -1}))[0][0];
  };
  std::vector<at::Tensor> mixed;
  for (std::int64_t h = 0; h < kHeads; ++h) {
    mixed.push_back(attend_slowly(turned(head(0, h)), turned(head(1, h)), head(2, h)));
  }
  y = y + m[2] * affine(w, "proj", at::cat(mixed, 1));
  y = y + m[5] * affine(w, "mlp2", tanh_gelu(affine(w, "mlp1", normalised(y) * (1 + m[4]) + m[3])));
  EXPECT_LT(largest_difference(block(x, condition)[0], y), 2e-4);
}

TEST_F(Layers, AttentionIsTheSameHoweverItsHeadsAreGrouped) {
  struct Case {
    std::int64_t batch, heads, queries, keys;
    bool is_causal;
  };
  // Small; many short rows; heads two by two with one left over; more keys than queries; causal.
  const Case cases[] = {{1, 2, 7, 9, false},
                        {40, 5, 64, 65, false},
                        {2, 5, 500, 520, false},
                        {1, 3, 30, 9000, false},
                        {2, 3, 600, 600, true}};
  constexpr std::int64_t kWidth = 16;
  for (const Case& c : cases) {
    const at::Tensor packed = 2 * at::randn({c.batch, c.queries, c.heads, kWidth});
    const at::Tensor q = packed.transpose(1, 2);  // not contiguous, as a packed product leaves it
    const at::Tensor k = at::randn({c.batch, c.heads, c.keys, kWidth});
    const at::Tensor v = at::randn({c.batch, c.heads, c.keys, kWidth});
    at::Tensor scores = at::matmul(q.to(at::kDouble), k.to(at::kDouble).mT()) / std::sqrt(kWidth);
    if (c.is_causal)
      scores.masked_fill_(at::ones({c.queries, c.keys}, at::kBool).triu(1), -INFINITY);
    const at::Tensor expected = at::matmul(at::softmax(scores, -1), v.to(at::kDouble));
    for (const auto type : {at::kFloat, at::kBFloat16}) {
      const at::Tensor found = attend(q.to(type), k.to(type), v.to(type), c.is_causal);
      const double limit = type == at::kFloat ? 2e-5 : 0.1;
      EXPECT_LT(largest_difference(found, expected), limit) << c.queries << " " << type;
      const int threads = at::get_num_threads();
      at::set_num_threads(threads == 1 ? 3 : 1);
      EXPECT_LT(
          largest_difference(attend(q.to(type), k.to(type), v.to(type), c.is_causal), expected),
          limit);
      at::set_num_threads(threads);
    }
  }
}

TEST(TransformerBlockConfig, NamesEveryBrokenRule) {
  EXPECT_TRUE(problems(TransformerBlockConfig{.dim = 8, .heads = 2}).empty());
  EXPECT_EQ(problems(TransformerBlockConfig{.dim = 0, .heads = 0, .mlp_ratio = 0}).size(), 3u);
  EXPECT_EQ(problems(TransformerBlockConfig{.dim = 10, .heads = 4}).size(), 1u);
  EXPECT_THROW(TransformerBlock(TransformerBlockConfig{.dim = 10, .heads = 4}), Error);
}

}  // namespace
}  // namespace qingyin
