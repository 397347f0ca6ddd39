#include "video_gen/guidance.h"

#include <ATen/ATen.h>

#include <cmath>

namespace qingyin {

double guidance_weight(GuidanceCurve curve, double scale, std::int64_t steps, std::int64_t index,
                       std::int64_t timestep) {
  if (curve == GuidanceCurve::kConstant) return scale;
  const auto n = static_cast<double>(steps);
  const auto position = static_cast<double>(curve == GuidanceCurve::kWave ? timestep : index);
  return 1 + scale * (1 - std::cos(M_PI * std::pow((n - position) / n, 5.0))) / 2;
}

at::Tensor guide(const at::Tensor& predictions, double weight) {
  const auto halves = predictions.to(at::kFloat).chunk(2, 0);
  return halves[0] + weight * (halves[1] - halves[0]);
}

}  // namespace qingyin
