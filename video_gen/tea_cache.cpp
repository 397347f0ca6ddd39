#include "video_gen/tea_cache.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/error.h"

namespace qingyin {
namespace {

bool same_shape(const CogTransformerConfig& a, const CogTransformerConfig& b) {
  return a.num_layers == b.num_layers && a.num_attention_heads == b.num_attention_heads &&
         a.in_channels == b.in_channels && a.patch_size_t == b.patch_size_t;
}

}  // namespace

TeaCoefficients tea_coefficients(const CogTransformerConfig& config) {
  if (same_shape(config, cogvideox_2b()))
    return {-3.10658903e+01, 2.54732368e+01, -5.92380459e+00, 1.75769064e+00, -3.61568434e-03};
  if (same_shape(config, cogvideox_5b()) || same_shape(config, cogvideox_5b_i2v()))
    return {-1.53880483e+03, 8.43202495e+02, -1.34363087e+02, 7.97131516e+00, -5.23162339e-02};
  if (same_shape(config, cogvideox_15_5b()))
    return {2.50210439e+02, -1.65061612e+02, 3.57804877e+01, -7.81551492e-01, 3.58559703e-02};
  if (same_shape(config, cogvideox_15_5b_i2v()))
    return {1.22842302e+02, -1.04088754e+02, 2.62981677e+01, -3.06009921e-01, 3.71213220e-02};
  throw Error(ErrorCode::kUsage,
              "TeaCache: coefficients are published for CogVideoX 2b, 5b, 5b-I2V, 1.5-5B and "
              "1.5-5B-I2V; this model has another shape, so run it without TeaCache");
}

std::vector<double> embedding_changes(const CogTransformer& transformer,
                                      const std::vector<std::int64_t>& timesteps) {
  std::vector<double> changes;
  at::Tensor before;
  for (const std::int64_t t : timesteps) {
    const at::Tensor now = transformer->time_embedding(at::full({1}, t, at::kLong)).to(at::kFloat);
    if (before.defined())
      changes.push_back(((now - before).abs().mean() / before.abs().mean()).item<double>());
    before = now;
  }
  return changes;
}

std::vector<bool> steps_to_skip(const std::vector<double>& changes,
                                const TeaCoefficients& coefficients, double threshold) {
  std::vector<bool> skipped(changes.size() + 1, false);
  double sum = 0;
  for (std::size_t i = 1; i < changes.size(); ++i) {  // the last step is always computed
    double change = 0;
    for (const double c : coefficients) change = change * changes[i - 1] + c;
    sum += change;
    if (sum < threshold)
      skipped[i] = true;
    else
      sum = 0;
  }
  return skipped;
}

}  // namespace qingyin
