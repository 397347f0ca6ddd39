#include "audio_gen/bundled/flow_transformer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "audio_gen/bundled/representation.h"
#include "audio_gen/bundled/weight_facts.h"
#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "models/layers/conv_next.h"
#include "models/layers/fast_cpu.h"
#include "models/layers/transformer.h"

namespace qingyin {
namespace nn = torch::nn;
namespace {

constexpr std::int64_t kTimeWaves = 128, kControls = 3, kTraits = 4;

TransformerBlockConfig block_of(const FlowTransformerConfig& c) {
  return {.dim = c.dim, .heads = c.heads};
}

/// One for each name, and row 0 for "not given".
std::int64_t rows_of(const std::vector<std::string>& names) {
  return static_cast<std::int64_t>(names.size()) + 1;
}

}  // namespace

FlowTransformerConfig bundled_flow_transformer() {
  FlowTransformerConfig config{.latent = bundled::kLatentSize};
  for (const auto& info : sound_classes()) config.classes.emplace_back(info.name);
  for (const auto name : sound_materials()) config.materials.emplace_back(name);
  return config;
}

namespace {

const std::vector<std::pair<std::string, std::int64_t FlowTransformerConfig::*>>& fields() {
  static const std::vector<std::pair<std::string, std::int64_t FlowTransformerConfig::*>> all{
      {"latent", &FlowTransformerConfig::latent},
      {"dim", &FlowTransformerConfig::dim},
      {"heads", &FlowTransformerConfig::heads},
      {"blocks", &FlowTransformerConfig::blocks},
      {"control_kernel", &FlowTransformerConfig::control_kernel}};
  return all;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> words_of(const std::map<std::string, std::string>& metadata,
                                  const std::string& name, const std::string& file) {
  const auto found = metadata.find(name);
  require(found != metadata.end(), ErrorCode::kBadCheckpoint,
          file + ": its metadata lack \"" + name +
              "\", which the trainer writes; take the weights of this version of the program");
  std::istringstream text(found->second);
  return {std::istream_iterator<std::string>(text), {}};
}

/// Ids are places in the lists, and lists only grow: the weights' own must begin the program's.
void check_names(const std::vector<std::string>& known, const std::vector<std::string>& all,
                 const std::string& what, const std::string& file) {
  const bool begins =
      known.size() <= all.size() && std::equal(known.begin(), known.end(), all.begin());
  require(begins, ErrorCode::kBadCheckpoint,
          file + ": its " + what + " are \"" + joined(known) + "\"; expected the first ones of \"" +
              joined(all) + "\"");
}

}  // namespace

std::map<std::string, std::string> to_metadata(const FlowTransformerConfig& config) {
  std::map<std::string, std::string> result{{"classes", joined(config.classes)},
                                            {"materials", joined(config.materials)}};
  for (const auto& [name, field] : fields()) result[name] = std::to_string(config.*field);
  return result;
}

FlowTransformerConfig flow_transformer_of(const std::map<std::string, std::string>& metadata,
                                          const std::string& file) {
  const FlowTransformerConfig all = bundled_flow_transformer();
  FlowTransformerConfig config = all;
  config.classes = words_of(metadata, "classes", file);
  config.materials = words_of(metadata, "materials", file);
  check_names(config.classes, all.classes, "classes", file);
  check_names(config.materials, all.materials, "materials", file);
  for (const auto& [name, field] : fields()) {
    config.*field = bundled::metadata_number(metadata, name, file);
  }
  const auto found = problems(config);
  require(found.empty() && config.latent == bundled::kLatentSize, ErrorCode::kBadCheckpoint,
          file + ": " + (found.empty() ? "another latent's" : found.front()));
  return config;
}

std::vector<std::string> problems(const FlowTransformerConfig& c) {
  std::vector<std::string> found = problems(block_of(c));
  if (c.latent < 1) found.push_back("latent must be at least 1");
  if (c.classes.empty() || c.materials.empty()) {
    found.push_back("classes and materials must not be empty");
  }
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
      class_table(register_module("class_table", nn::Embedding(rows_of(c.classes), c.dim))),
      material_table(register_module("material_table", nn::Embedding(rows_of(c.materials), c.dim))),
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
      affine(at::cat({x, condition.context, condition.is_context}, 2), latent_in).to(at::kFloat) +
      depthwise_conv(control.to(at::kFloat), control_weight, control_bias);
  for (const auto& block : *blocks) tokens = block->as<TransformerBlockImpl>()->forward(tokens, c);
  const auto last = last_modulation(c).unsqueeze(1).chunk(2, -1);
  return affine(modulated_norm(tokens, last[0], last[1]), latent_out).to(at::kFloat);
}

}  // namespace qingyin
