#include "audio_gen/mmaudio/flow_config.h"

#include <utility>

namespace qingyin::mmaudio {

FlowConfig small_16k() {
  return {.latents = 20, .dim = 448, .heads = 7, .joint_blocks = 4, .fused_blocks = 8};
}

FlowConfig small_44k() {
  return {.latents = 40, .dim = 448, .heads = 7, .joint_blocks = 4, .fused_blocks = 8};
}

FlowConfig medium_44k() {
  return {.latents = 40, .dim = 896, .heads = 14, .joint_blocks = 4, .fused_blocks = 8};
}

FlowConfig large_44k() {
  return {.latents = 40, .dim = 896, .heads = 14, .joint_blocks = 7, .fused_blocks = 14};
}

FlowConfig large_44k_v2() {
  FlowConfig config = large_44k();
  config.is_v2 = true;
  return config;
}

std::int64_t mlp_hidden(const FlowConfig& config) {
  constexpr std::int64_t kMultiple = 256;
  const std::int64_t wanted = 2 * (4 * config.dim) / 3;
  return (wanted + kMultiple - 1) / kMultiple * kMultiple;
}

std::vector<std::string> problems(const FlowConfig& c) {
  std::vector<std::string> found;
  const std::pair<const char*, std::int64_t> counts[] = {
      {"latents", c.latents},     {"clip_size", c.clip_size},     {"sync_size", c.sync_size},
      {"text_size", c.text_size}, {"text_tokens", c.text_tokens}, {"joint_blocks", c.joint_blocks},
  };
  for (const auto& [name, value] : counts) {
    std::string text = name;
    if (value < 1) found.push_back(text.append(" must be at least 1"));
  }
  if (c.fused_blocks < 0) found.emplace_back("fused_blocks must not be negative");
  if (c.heads < 1) {
    found.emplace_back("heads must be at least 1");
  } else if (c.dim < 1 || c.dim % (2 * c.heads) != 0) {
    found.emplace_back("dim must be a positive multiple of 2 * heads");
  }
  return found;
}

}  // namespace qingyin::mmaudio
