#pragma once

#include <ATen/ATen.h>

#include "models/checkpoint/load_weights.h"
#include "video_gen/transformer.h"

namespace qingyin::test {

/// The shape of 5b, far narrower.
inline CogTransformerConfig tiny_config() {
  CogTransformerConfig config = cogvideox_5b();
  config.num_layers = 2;
  config.num_attention_heads = 2;
  config.attention_head_dim = 16;
  config.sample_height = 4;
  config.sample_width = 6;
  config.sample_frames = 5;
  config.text_embed_dim = 12;
  config.max_text_seq_length = 7;
  config.time_embed_dim = 20;
  return config;
}

/// Random weights of a network's shapes.
inline TensorMap random_weights(const torch::nn::Module& network) {
  at::manual_seed(11);
  TensorMap weights;
  for (const auto& [name, tensor] : weights_of(network))
    weights.emplace(name, 0.2 * at::randn(tensor.sizes()));
  return weights;
}

inline CogTransformer tiny_transformer(const CogTransformerConfig& config = tiny_config()) {
  CogTransformer network(config);
  adopt_weights(*network, random_weights(*network), at::kFloat);
  return network;
}

}  // namespace qingyin::test
