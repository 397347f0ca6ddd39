#include "models/layers/int8_weight.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "core/error.h"

namespace qingyin {
namespace {

constexpr double kSteps = 127;
constexpr std::int64_t kRows = 256;  // that are scaled together

}  // namespace

Int8Weight::Int8Weight(const at::Tensor& weight) {
  require(weight.dim() >= 1 && weight.is_floating_point(), ErrorCode::kInternal,
          "a weight in 8 bits needs output channels and a floating type");
  const at::NoGradGuard no_gradient;
  const at::Tensor full = weight.detach().to(at::kFloat);
  std::vector<std::int64_t> within;  // a channel
  for (std::int64_t d = 1; d < full.dim(); ++d) within.push_back(d);
  const at::Tensor largest = within.empty() ? full.abs() : full.abs().amax(within, true);
  // A channel of zeros stays one.
  scales_ = at::where(largest > 0, largest / kSteps, at::ones_like(largest));
  values_ = (full / scales_).round_().clamp_(-kSteps, kSteps).to(at::kChar);
}

at::Tensor Int8Weight::values(at::ScalarType type) const { return values_.to(type); }

at::Tensor Int8Weight::finish(const at::Tensor& product, const at::Tensor& bias) const {
  // A factor of float32 keeps its precision beside a product of bfloat16, of which ATen makes
  // copies: some rows at a time.
  const at::Tensor factors = scales_.flatten();
  const std::int64_t rows = product.dim() > 1 ? product.size(-2) : 0;
  if (rows == 0) product.mul_(factors);
  for (std::int64_t first = 0; first < rows; first += kRows)
    product.narrow(-2, first, std::min(kRows, rows - first)).mul_(factors);
  return bias.defined() ? product.add_(bias) : product;
}

at::Tensor Int8Weight::restored() const { return values_.to(at::kFloat).mul_(scales_); }

std::int64_t Int8Weight::bytes() const {
  return static_cast<std::int64_t>(values_.nbytes() + scales_.nbytes());
}

}  // namespace qingyin
