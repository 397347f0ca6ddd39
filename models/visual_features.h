#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/time.h"

namespace qingyin {

/// Numbers that an encoder found, the first dimension in time unless `hop` is 0.
struct FeatureTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> values;  // row-major
  Seconds hop{0};             // from one row to the next
};

/// What visual encoders made of a clip or a window of it, for the engine that was trained on them.
/// Plain data: cacheable by the content of the pictures and `encoder`.
struct VisualFeatures {
  std::string encoder;  // networks, their weights and their precision
  std::map<std::string, FeatureTensor> tensors;
};

}  // namespace qingyin
