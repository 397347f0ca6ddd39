#include "models/checkpoint/load_weights.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "models/checkpoint/partial_tensors.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

TensorMap weights_for_linear() {
  return {{"weight", at::arange(6, at::kFloat).view({2, 3})}, {"bias", at::ones({2})}};
}

TEST(LoadWeights, FillsEveryParameter) {
  torch::nn::Linear linear(3, 2);
  load_weights(*linear, weights_for_linear());
  EXPECT_TRUE(at::equal(linear->weight, at::arange(6, at::kFloat).view({2, 3})));
  EXPECT_TRUE(at::equal(linear->bias, at::ones({2})));
  EXPECT_TRUE(linear->weight.requires_grad());
}

TEST(LoadWeights, WidensHalfPrecision) {
  torch::nn::Linear linear(3, 2);
  auto weights = weights_for_linear();
  weights["weight"] = weights["weight"].to(at::kBFloat16);
  load_weights(*linear, weights);
  EXPECT_EQ(linear->weight.scalar_type(), at::kFloat);
  EXPECT_EQ(linear->weight[1][2].item<float>(), 5.0F);
}

TEST(LoadWeights, NamesEveryProblemAtOnceAndChangesNothing) {
  torch::nn::Linear linear(3, 2);
  const at::Tensor before = linear->weight.detach().clone();
  const TensorMap weights{{"weight", at::zeros({3, 2})}, {"biass", at::zeros({2})}};
  try {
    load_weights(*linear, weights, "model.safetensors");
    FAIL() << "weights that do not fit were accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadCheckpoint);
    const std::string text = e.what();
    EXPECT_NE(text.find("model.safetensors: 3 tensors"), std::string::npos) << text;
    EXPECT_NE(text.find("missing     bias\n"), std::string::npos) << text;
    EXPECT_NE(text.find("unexpected  biass\n"), std::string::npos) << text;
    EXPECT_NE(text.find("misshapen   weight: found [3, 2], expected [2, 3]"), std::string::npos)
        << text;
  }
  EXPECT_TRUE(at::equal(linear->weight, before));
}

TEST(LoadWeights, RefusesIntegersForFloats) {
  torch::nn::Linear linear(3, 2);
  auto weights = weights_for_linear();
  weights["bias"] = at::ones({2}, at::kLong);
  EXPECT_TRUE(throws_error([&] { load_weights(*linear, weights); }, ErrorCode::kBadCheckpoint,
                           "mistyped    bias: found Long, expected Float"));
}

std::optional<std::string> below_net(std::string_view name) {
  if (!name.starts_with("net.")) return std::nullopt;
  return std::string(name.substr(4));
}

TEST(StreamWeights, ConvertsOneTensorAfterAnother) {
  const TemporaryFolder folder;
  TensorMap file{{"elsewhere", at::ones({5})}};
  for (const auto& [name, tensor] : weights_for_linear())
    file.emplace("net." + name, tensor + 0.25);
  write_safetensors(folder / "a.safetensors", file, {}, Overwrite::kNo);
  torch::nn::Linear linear(3, 2);
  linear->to(at::kBFloat16);
  std::vector<std::string> told;
  stream_weights(*linear, folder / "a.safetensors", below_net,
                 [&](const std::string& name) { told.push_back(name); });
  EXPECT_EQ(linear->weight.scalar_type(), at::kBFloat16);
  EXPECT_EQ(linear->weight[1][2].item<float>(), 5.25F);
  EXPECT_EQ(linear->bias[1].item<float>(), 1.25F);
  std::ranges::sort(told);
  EXPECT_EQ(told, (std::vector<std::string>{"bias", "weight"}));
}

TEST(StreamWeights, AFileThatDoesNotFitChangesNothing) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors",
                    {{"net.weight", at::ones({2, 3})}, {"net.other", at::ones({1})}}, {},
                    Overwrite::kNo);
  torch::nn::Linear linear(3, 2);
  const at::Tensor before = linear->weight.detach().clone();
  for (const char* problem : {"a.safetensors: 2 tensors", "missing     bias", "unexpected  other"})
    EXPECT_TRUE(throws_error([&] { stream_weights(*linear, folder / "a.safetensors", below_net); },
                             ErrorCode::kBadCheckpoint, problem));
  EXPECT_TRUE(at::equal(linear->weight, before));
}

TEST(TensorIo, WritesAndReadsEveryType) {
  const TemporaryFolder folder;
  TensorMap tensors;
  for (const auto type :
       {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort,
        at::kChar, at::kByte, at::kBool, at::kFloat8_e4m3fn, at::kFloat8_e5m2})
    tensors.emplace(toString(type), at::arange(6, at::kFloat).view({2, 3}).to(type));
  tensors.emplace("transposed", at::arange(6, at::kFloat).view({2, 3}).t());
  tensors.emplace("empty", at::zeros({0, 4}));
  tensors.emplace("scalar", at::scalar_tensor(2.5));
  write_safetensors(folder / "a.safetensors", tensors, {{"k", "v"}}, Overwrite::kNo);

  const auto [read, metadata] = read_safetensors(folder / "a.safetensors");
  EXPECT_EQ(metadata.at("k"), "v");
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(read.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_EQ(read.at(name).sizes(), tensor.sizes()) << name;
    EXPECT_TRUE(at::equal(read.at(name).to(at::kDouble), tensor.to(at::kDouble))) << name;
  }
}

TEST(TensorIo, ConvertsFloatsAndLeavesIntegers) {
  const auto converted = with_float_type({{"half", at::full({2}, 1.5, at::kHalf)},
                                          {"eight", at::full({2}, 0.5).to(at::kFloat8_e4m3fn)},
                                          {"step", at::full({1}, 7, at::kLong)}},
                                         at::kFloat);
  EXPECT_EQ(converted.at("half").scalar_type(), at::kFloat);
  EXPECT_EQ(converted.at("eight")[1].item<float>(), 0.5F);
  EXPECT_EQ(converted.at("step").scalar_type(), at::kLong);
}

TEST(ReadTensors, WhatIsNotWantedHasAShapeAndNoMemory) {
  const TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", weights_for_linear(), {}, Overwrite::kNo);
  const std::filesystem::path pickled =
      std::filesystem::path(QINGYIN_SOURCE_DIR) / "tests/fixtures/checkpoints/good";
  const TensorFilter weight_alone = [](std::string_view name) { return name == "weight"; };
  const TensorMap some = read_tensors(folder / "a.safetensors", weight_alone);
  EXPECT_TRUE(at::equal(some.at("weight"), weights_for_linear().at("weight")));
  EXPECT_TRUE(some.at("bias").is_meta());
  EXPECT_EQ(some.at("bias").sizes(), (std::vector<std::int64_t>{2}));
  torch::nn::Linear linear(3, 2);
  EXPECT_TRUE(weight_problems(*linear, some).empty());
  for (const auto& item : std::filesystem::directory_iterator(pickled)) {
    if (item.path().extension() != ".pth") continue;
    const TensorMap whole = read_tensors(item.path());
    const std::string first = whole.begin()->first;
    const TensorMap part =
        read_tensors(item.path(), [&](std::string_view name) { return name == first; });
    ASSERT_EQ(part.size(), whole.size()) << item.path();
    for (const auto& [name, tensor] : part) {
      EXPECT_EQ(tensor.sizes(), whole.at(name).sizes()) << name;
      EXPECT_EQ(tensor.is_meta(), name != first) << item.path() << " " << name;
    }
  }
}

}  // namespace
}  // namespace qingyin::test
