#include "models/checkpoint/load_weights.h"

#include <ATen/ATen.h>
#include <torch/nn/module.h>

#include "core/error.h"
#include "core/text.h"
#include "models/checkpoint/partial_tensors.h"

namespace qingyin {
namespace {

std::string shape_text(const at::Tensor& tensor) {
  std::string text = "[";
  for (const std::int64_t size : tensor.sizes())
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

bool types_fit(const at::Tensor& found, const at::Tensor& expected) {
  return found.scalar_type() == expected.scalar_type() ||
         (found.is_floating_point() && expected.is_floating_point());
}

}  // namespace

TensorMap weights_of(const torch::nn::Module& module) {
  TensorMap weights;
  for (const auto& item : module.named_parameters()) weights.emplace(item.key(), item.value());
  for (const auto& item : module.named_buffers()) weights.emplace(item.key(), item.value());
  return weights;
}

std::vector<std::string> weight_problems(const torch::nn::Module& module,
                                         const TensorMap& tensors) {
  const TensorMap expected = weights_of(module);
  std::vector<std::string> problems;
  for (const auto& [name, tensor] : expected)
    if (!tensors.contains(name)) problems.push_back("missing     " + name);
  for (const auto& [name, tensor] : tensors)
    if (!expected.contains(name)) problems.push_back("unexpected  " + name);
  for (const auto& [name, tensor] : expected) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) continue;
    if (found->second.sizes() != tensor.sizes())
      problems.push_back("misshapen   " + name + ": found " + shape_text(found->second) +
                         ", expected " + shape_text(tensor));
    else if (!types_fit(found->second, tensor))
      problems.push_back("mistyped    " + name + ": found " +
                         toString(found->second.scalar_type()) + ", expected " +
                         toString(tensor.scalar_type()));
  }
  return problems;
}

void require_fit(const torch::nn::Module& module, const TensorMap& tensors,
                 const std::string& source) {
  const auto problems = weight_problems(module, tensors);
  if (problems.empty()) return;
  std::string text = source + ": " + std::to_string(problems.size()) +
                     " tensors do not fit the network " + module.name() + ":";
  for (const std::string& problem : problems) text += "\n  " + problem;
  throw Error(ErrorCode::kBadCheckpoint, text);
}

void load_weights(torch::nn::Module& module, const TensorMap& tensors, const std::string& source) {
  require_fit(module, tensors, source);
  const at::NoGradGuard no_gradient;
  for (auto& [name, tensor] : weights_of(module)) tensor.copy_(tensors.at(name));
}

void adopt_weights(torch::nn::Module& module, TensorMap tensors, const at::TensorOptions& wanted,
                   const std::string& source) {
  require_fit(module, tensors, source);
  const at::NoGradGuard no_gradient;
  for (auto& [name, tensor] : weights_of(module)) {
    const auto found = tensors.find(name);
    const auto options = tensor.is_floating_point() ? wanted : wanted.dtype(tensor.scalar_type());
    tensor.set_data(found->second.to(options).contiguous());
    tensors.erase(found);
  }
}

void load_weights(torch::nn::Module& module, TensorMap&& tensors, const std::string& source) {
  require_fit(module, tensors, source);
  const at::NoGradGuard no_gradient;
  for (auto& [name, tensor] : weights_of(module)) {
    tensor.copy_(tensors.at(name));
    tensors.erase(name);
  }
}

void stream_weights(torch::nn::Module& module, const std::filesystem::path& file,
                    const WeightName& name_of,
                    const std::function<void(const std::string& name)>& on_loaded) {
  const at::NoGradGuard no_gradient;
  const TensorMap weights = weights_of(module);
  const auto check = [&](const TensorMap& shapes) {
    TensorMap renamed;
    for (const auto& [name, shape] : shapes)
      if (const auto own = name_of(name)) renamed.emplace(*own, shape);
    require_fit(module, renamed, printable(file));
  };
  const auto take = [&](const std::string& name, const at::Tensor& tensor) {
    const std::string own = *name_of(name);
    weights.at(own).copy_(tensor);
    if (on_loaded) on_loaded(own);
  };
  stream_tensors(
      file, [&](std::string_view name) { return name_of(name).has_value(); }, check, take);
}

}  // namespace qingyin
