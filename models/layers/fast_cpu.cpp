#include "models/layers/fast_cpu.h"

#include <ATen/ATen.h>
#include <ATen/core/dispatch/Dispatcher.h>

#include <cmath>
#include <limits>

namespace qingyin {
namespace {

using LinearPointwise = at::Tensor(const at::Tensor&, const at::Tensor&,
                                   const std::optional<at::Tensor>&, c10::string_view,
                                   c10::List<std::optional<at::Scalar>>,
                                   std::optional<c10::string_view>);
using LinearHandle = std::optional<c10::TypedOperatorHandle<LinearPointwise>>;

/// oneDNN's affine map; none in a libtorch that was built without it.
const LinearHandle& linear_pointwise() {
  static const LinearHandle handle = []() -> LinearHandle {
    if (!at::globalContext().hasMKLDNN()) return {};
    const auto schema = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
    if (!schema) return {};
    return schema->typed<LinearPointwise>();
  }();
  return handle;
}

}  // namespace

bool has_fast_affine(const at::Tensor& x) {
  return x.device().is_cpu() && x.scalar_type() == at::kFloat && !at::GradMode::is_enabled() &&
         at::globalContext().userEnabledMkldnn() && linear_pointwise().has_value();
}

at::Tensor affine(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const auto wanted = bias.defined() ? std::optional<at::Tensor>(bias) : std::nullopt;
  if (!has_fast_affine(x)) return at::linear(x, weight, wanted);
  return linear_pointwise()->call(x, weight, wanted, "none", c10::List<std::optional<at::Scalar>>(),
                                  "");
}

at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                  bool is_causal) {
  const bool keeps_scores = query.device().is_cpu() && query.scalar_type() == at::kBFloat16;
  if (!keeps_scores) return at::scaled_dot_product_attention(query, key, value, {}, 0.0, is_causal);
  const double scale = 1 / std::sqrt(static_cast<double>(query.size(-1)));
  at::Tensor scores = at::matmul(query * scale, key.transpose(-1, -2));  // [B, H, T, S]
  if (is_causal) {
    const auto is_later =
        at::ones({query.size(-2), key.size(-2)}, query.options().dtype(at::kBool)).triu_(1);
    scores.masked_fill_(is_later, -std::numeric_limits<double>::infinity());
  }
  return at::matmul(at::softmax(scores, -1), value);
}

}  // namespace qingyin
