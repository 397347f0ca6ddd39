#include "tests/support/near.h"

#include <ATen/ATen.h>

#include <string>

namespace qingyin::test {
namespace {

/// "[1, 0, 3]" of a position in row-major order.
std::string index_text(std::int64_t flat, at::IntArrayRef shape) {
  std::string text;
  for (auto size = shape.rbegin(); size != shape.rend(); ++size) {
    text = std::to_string(flat % *size) + (text.empty() ? "" : ", ") + text;
    flat /= *size;
  }
  return "[" + text + "]";
}

}  // namespace

testing::AssertionResult near(const at::Tensor& got, const at::Tensor& expected,
                              const Tolerance& tolerance) {
  if (got.sizes() != expected.sizes())
    return testing::AssertionFailure()
           << "shape " << got.sizes() << ", expected " << expected.sizes();
  if (expected.numel() == 0) return testing::AssertionSuccess();

  const at::Tensor a = got.detach().cpu().to(at::kDouble).flatten();
  const at::Tensor b = expected.detach().cpu().to(at::kDouble).flatten();
  const at::Tensor error = (a - b).abs();
  const double rms = b.square().mean().sqrt().item<double>();
  const at::Tensor allowed =
      b.abs() * tolerance.relative + (tolerance.absolute + tolerance.of_rms * rms);
  // NaN compares as false, so it counts as outside.
  const at::Tensor is_outside = error.le(allowed).logical_not();
  if (!is_outside.any().item<bool>()) return testing::AssertionSuccess();

  const at::Tensor excess = at::nan_to_num(error - allowed, 1e300, 1e300, -1e300);
  const std::int64_t worst = excess.argmax().item<std::int64_t>();
  return testing::AssertionFailure()
         << is_outside.sum().item<std::int64_t>() << " of " << b.numel() << " values of "
         << expected.sizes() << " are outside; worst at " << index_text(worst, expected.sizes())
         << ": " << a[worst].item<double>() << ", expected " << b[worst].item<double>()
         << ", off by " << error[worst].item<double>() << ", allowed "
         << allowed[worst].item<double>() << "; largest error " << error.max().item<double>()
         << ", rms " << rms;
}

}  // namespace qingyin::test
