#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qingyin::mmaudio {

/// Sizes of one published flow network. Source: hkchengrex/MMAudio, mmaudio/model/networks.py.
struct FlowConfig {
  std::int64_t latents = 40;      // C
  std::int64_t clip_size = 1024;  // of one feature of CLIP's image tower
  std::int64_t sync_size = 768;   // of one token of Synchformer
  std::int64_t text_size = 1024;  // of one token of CLIP's text tower
  std::int64_t text_tokens = 77;
  std::int64_t dim = 896;          // D
  std::int64_t heads = 14;         // H
  std::int64_t joint_blocks = 7;   // latents, pictures and text attend together
  std::int64_t fused_blocks = 14;  // latents alone
  bool is_v2 = false;              // activations and time embedding of the v2 layout

  bool operator==(const FlowConfig&) const = default;
};

FlowConfig small_16k();
FlowConfig small_44k();
FlowConfig medium_44k();
FlowConfig large_44k();
FlowConfig large_44k_v2();

/// Hidden width of every gated MLP: 8/3 of the width, rounded up to a multiple of 256.
std::int64_t mlp_hidden(const FlowConfig& config);

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const FlowConfig& config);

}  // namespace qingyin::mmaudio
