#pragma once

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "tests/support/tolerance.h"

namespace qingyin::test {

/// Passes if the shapes are equal and every element is within the tolerance. A failure names the
/// worst index, both values there and the largest error. NaN fails, in either tensor.
testing::AssertionResult near(const at::Tensor& got, const at::Tensor& expected,
                              const Tolerance& tolerance);

}  // namespace qingyin::test
