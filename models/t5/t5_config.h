#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/checkpoint/config_file.h"

namespace qingyin {

/// The shape of a T5 v1.1 encoder, in the words of the published config.json.
struct T5Config {
  std::int64_t vocab_size;  // rows of the embedding
  std::int64_t d_model;     // D
  std::int64_t d_kv;        // K; H * K may differ from D
  std::int64_t d_ff;        // hidden width of the feed-forward part
  std::int64_t num_layers;
  std::int64_t num_heads;  // H
  std::int64_t relative_attention_num_buckets = 32;
  std::int64_t relative_attention_max_distance = 128;
  double layer_norm_epsilon = 1e-6;
};

/// google/t5-v1_1-xxl, the text encoder of CogVideoX: 4.76 billion weights.
T5Config t5_v1_1_xxl();

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const T5Config& config);

/// @throws Error  kBadCheckpoint naming every broken rule, also if it is a T5 of another kind than
///                v1.1 (gated GELU)
T5Config read_t5_config(const ConfigFile& file);

}  // namespace qingyin
