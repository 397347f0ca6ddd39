#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace qingyin {

struct FlowTransformerConfig {
  std::vector<std::string> classes = {};    // names by id: the first ones of `sound_classes()`
  std::vector<std::string> materials = {};  // names by id: the first ones of `sound_materials()`
  std::int64_t latent = 96;                 // N
  std::int64_t dim = 256;                   // D
  std::int64_t heads = 4;
  std::int64_t blocks = 6;
  std::int64_t control_kernel = 5;  // tokens of control that one token sees, odd
};

/// The event model whose weights are bundled, for all classes and materials there are: 7.5 M
/// parameters.
FlowTransformerConfig bundled_flow_transformer();

/// A config as metadata of its weights, and back. @throws Error kBadCheckpoint naming what is
/// missing
std::map<std::string, std::string> to_metadata(const FlowTransformerConfig& config);
FlowTransformerConfig flow_transformer_of(const std::map<std::string, std::string>& metadata,
                                          const std::string& file);

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const FlowTransformerConfig& config);

/// What is to be heard. Shapes: B batch, T tokens, N latent size.
struct FlowCondition {
  at::Tensor class_row;     // [B] long, class id + 1; 0: not given
  at::Tensor material_row;  // [B] long, material id + 1; 0: not given
  at::Tensor traits;        // [B, 4] size, intensity, is texture, are size and intensity given
  at::Tensor control;       // [B, T, 3] level, active, age; see `event_control.h`
  at::Tensor context;       // [B, T, N] latents that are given, zero elsewhere
  at::Tensor is_context;    // [B, T, 1] 1 where a latent is given
};

/// Velocity field of a flow from noise (time 0) to the latents of one window of sound (time 1);
/// rectified flow (Liu et al., "Flow straight and fast", 2023) with a transformer.
///
/// Members are checkpoint keys: latent_in, control_in, control_weight, control_bias, class_table,
/// material_table, traits1, traits2, time1, time2, blocks, last_modulation, latent_out.
class FlowTransformerImpl : public torch::nn::Module {
 public:
  explicit FlowTransformerImpl(const FlowTransformerConfig& config = bundled_flow_transformer());

  /// @param x     [B, T, N] (1 - time) * noise + time * latents
  /// @param time  [B] in [0, 1]
  /// @return      [B, T, N] velocity, float32; without meaning where a latent is given
  at::Tensor forward(const at::Tensor& x, const at::Tensor& time, const FlowCondition& condition);

 private:
  at::Tensor condition_vector(const at::Tensor& time, const FlowCondition& condition);

  torch::nn::Linear latent_in, control_in;
  at::Tensor control_weight, control_bias;
  torch::nn::Embedding class_table, material_table;
  torch::nn::Linear traits1, traits2, time1, time2;
  torch::nn::ModuleList blocks;
  torch::nn::Linear last_modulation, latent_out;
};
TORCH_MODULE(FlowTransformer);

}  // namespace qingyin
