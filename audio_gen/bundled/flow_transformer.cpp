#include "audio_gen/bundled/flow_transformer.h"

#include <ATen/ATen.h>

#include "audio_gen/bundled/representation.h"
#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "models/layers/conv_next.h"
#include "models/layers/transformer.h"

namespace qingyin {
namespace nn = torch::nn;
namespace {

constexpr std::int64_t kTimeWaves = 128, kControls = 3, kTraits = 4;

TransformerBlockConfig block_of(const FlowTransformerConfig& c) {
  return {.dim = c.dim, .heads = c.heads};
}

}  // namespace

FlowTransformerConfig bundled_flow_transformer() {
  return {.latent = bundled::kLatentSize,
          .classes = static_cast<std::int64_t>(sound_classes().size()),
          .materials = static_cast<std::int64_t>(sound_materials().size())};
}

std::vector<std::string> problems(const FlowTransformerConfig& c) {
  std::vector<std::string> found = problems(block_of(c));
  if (c.latent < 1) found.push_back("latent must be at least 1");
  if (c.classes < 1 || c.materials < 1) found.push_back("classes and materials must not be empty");
  if (c.blocks < 1) found.push_back("blocks must be at least 1");
  if (c.control_kernel < 1 || c.control_kernel % 2 == 0) {
    found.push_back("control_kernel must be odd");
  }
  return found;
}

FlowTransformerImpl::FlowTransformerImpl(const FlowTransformerConfig& c)
    : latent_in(register_module("latent_in", nn::Linear(2 * c.latent + 1, c.dim))),
      control_in(register_module("control_in", nn::Linear(kControls, c.dim))),
      control_weight(
          register_parameter("control_weight", 0.1 * at::randn({c.control_kernel, c.dim}))),
      control_bias(register_parameter("control_bias", at::zeros({c.dim}))),
      class_table(register_module("class_table", nn::Embedding(c.classes + 1, c.dim))),
      material_table(register_module("material_table", nn::Embedding(c.materials + 1, c.dim))),
      traits1(register_module("traits1", nn::Linear(kTraits, c.dim))),
      traits2(register_module("traits2", nn::Linear(c.dim, c.dim))),
      time1(register_module("time1", nn::Linear(kTimeWaves, c.dim))),
      time2(register_module("time2", nn::Linear(c.dim, c.dim))),
      blocks(register_module("blocks", nn::ModuleList())),
      last_modulation(register_module("last_modulation", nn::Linear(c.dim, 2 * c.dim))),
      latent_out(register_module("latent_out", nn::Linear(c.dim, c.latent))) {
  const auto found = problems(c);
  require(found.empty(), ErrorCode::kInternal,
          "flow transformer: " + (found.empty() ? "" : found.front()));
  for (std::int64_t b = 0; b < c.blocks; ++b) blocks->push_back(TransformerBlock(block_of(c)));
  const at::NoGradGuard no_grad;
  for (const auto& layer : {last_modulation, latent_out}) {
    layer->weight.zero_();
    layer->bias.zero_();
  }
}

at::Tensor FlowTransformerImpl::condition_vector(const at::Tensor& time,
                                                 const FlowCondition& condition) {
  const at::Tensor waves = timestep_embedding(time, kTimeWaves);
  const at::Tensor sum = time2(at::silu(time1(waves))) +
                         traits2(at::silu(traits1(condition.traits))) +
                         class_table(condition.class_row) + material_table(condition.material_row);
  return at::silu(sum);
}

at::Tensor FlowTransformerImpl::forward(const at::Tensor& x, const at::Tensor& time,
                                        const FlowCondition& condition) {
  const at::Tensor c = condition_vector(time, condition);
  const at::Tensor control = control_in(condition.control);
  at::Tensor tokens =
      latent_in(at::cat({x, condition.context, condition.is_context}, 2)).to(at::kFloat) +
      depthwise_conv(control.to(at::kFloat), control_weight, control_bias);
  for (const auto& block : *blocks) tokens = block->as<TransformerBlockImpl>()->forward(tokens, c);
  const auto last = last_modulation(c).unsqueeze(1).chunk(2, -1);
  return latent_out(modulated_norm(tokens, last[0], last[1])).to(at::kFloat);
}

}  // namespace qingyin
