#include "models/layers/fast_cpu.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
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

/// Whether oneDNN multiplies bfloat16 on this processor.
bool has_bfloat16_products() {
#if defined(__x86_64__)
  static const bool is_able = __builtin_cpu_supports("avx512bw") != 0 &&
                              __builtin_cpu_supports("avx512vl") != 0 &&
                              __builtin_cpu_supports("avx512dq") != 0;
  return is_able;
#else
  return false;
#endif
}

/// Whether `affine` takes oneDNN's product for such an input.
bool has_fast_affine(const at::Tensor& x) {
  const bool is_able = x.scalar_type() == at::kFloat ||
                       (x.scalar_type() == at::kBFloat16 && has_bfloat16_products());
  return x.device().is_cpu() && is_able && !at::GradMode::is_enabled() &&
         at::globalContext().userEnabledMkldnn() && linear_pointwise().has_value();
}

/// Scores of the heads that are attended at once stay in a core's second-level cache.
constexpr std::int64_t kScoreBytes = std::int64_t{1} << 20U;
/// Below this the scores of one row of the batch are not worth calls of their own.
constexpr std::int64_t kFewScoreBytes = std::int64_t{1} << 16U;

/// softmax(query key^T) value. [..., T, K], [..., S, K] twice -> [..., T, K]
at::Tensor attend_at_once(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                          bool is_causal) {
  at::Tensor scores = at::matmul(query, key.transpose(-1, -2));  // [..., T, S]
  if (is_causal) {
    const auto is_later =
        at::ones({query.size(-2), key.size(-2)}, query.options().dtype(at::kBool)).triu_(1);
    scores.masked_fill_(is_later, -std::numeric_limits<double>::infinity());
  }
  return at::matmul(at::softmax(scores, -1), value);
}

/// The same for one head by oneDNN's products, without a mask. [T, K], [S, K] twice -> [T, K]
at::Tensor attend_by_affine(const at::Tensor& query, const at::Tensor& key,
                            const at::Tensor& value) {
  const at::Tensor scores = affine(query.contiguous(), key.contiguous());
  return affine(at::softmax(scores, -1), value.t().contiguous());
}

/// Attends a few heads at a time, those of each thread one after the other.
/// @param at_once  heads
at::Tensor attend_by_heads(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                           bool is_causal, std::int64_t at_once) {
  const std::int64_t batch = query.size(0), heads = query.size(1);
  const std::int64_t groups = (heads + at_once - 1) / at_once;
  const double scale = 1 / std::sqrt(static_cast<double>(query.size(3)));
  // As its readers want it: the heads of a token side by side.
  at::Tensor mixed = at::empty({batch, query.size(2), heads, query.size(3)}, query.options());
  at::parallel_for(0, batch * groups, 1, [&](std::int64_t begin, std::int64_t end) {
    const c10::InferenceMode no_autograd;  // each thread has its own
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t b = i / groups, first = i % groups * at_once;
      const std::int64_t count = std::min(at_once, heads - first);
      const auto part = [&](const at::Tensor& x) { return x[b].narrow(0, first, count); };
      const at::Tensor q = part(query) * scale, k = part(key), v = part(value);  // [count, T, K]
      const at::Tensor into = mixed[b].narrow(1, first, count).transpose(0, 1);
      if (q.scalar_type() == at::kFloat)
        into[0].copy_(attend_by_affine(q[0], k[0], v[0]));
      else
        into.copy_(attend_at_once(q, k, v, is_causal));
    }
  });
  return mixed.transpose(1, 2);
}

}  // namespace

at::Tensor affine(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const auto wanted = bias.defined() ? std::optional<at::Tensor>(bias) : std::nullopt;
  if (!has_fast_affine(x)) return at::linear(x, weight, wanted);
  return linear_pointwise()->call(x, weight, wanted, "none", c10::List<std::optional<at::Scalar>>(),
                                  "");
}

at::Tensor attend(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                  bool is_causal) {
  const std::int64_t of_head =
      query.size(2) * key.size(2) * static_cast<std::int64_t>(query.element_size());
  const std::int64_t of_row = of_head * query.size(1), of_all = of_row * query.size(0);
  const bool is_small = of_all <= kScoreBytes || of_row <= kFewScoreBytes;
  const bool by_heads = query.device().is_cpu() && !is_small && !at::GradMode::is_enabled();
  if (query.device().is_cpu() && query.scalar_type() == at::kBFloat16) {
    if (by_heads)
      return attend_by_heads(query, key, value, is_causal,
                             std::clamp(kScoreBytes / of_head, std::int64_t{1}, query.size(1)));
    const double scale = 1 / std::sqrt(static_cast<double>(query.size(3)));
    return attend_at_once(query * scale, key, value, is_causal);
  }
  if (by_heads && !is_causal && has_fast_affine(query))
    return attend_by_heads(query, key, value, is_causal, 1);
  return at::scaled_dot_product_attention(query, key, value, {}, 0.0, is_causal);
}

}  // namespace qingyin
