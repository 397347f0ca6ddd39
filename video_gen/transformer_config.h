#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/checkpoint/config_file.h"

namespace qingyin {

/// The shape of a CogVideoX transformer, in the words of the published config.json. Lengths in
/// latents: 1 latent is 8 pixels of a side and 4 frames.
struct CogTransformerConfig {
  std::int64_t num_layers;
  std::int64_t num_attention_heads;      // H
  std::int64_t attention_head_dim = 64;  // K
  std::int64_t in_channels;              // 16, or 32 where an image's latents stand beside
  std::int64_t out_channels = 16;
  std::int64_t patch_size = 2;    // latents of a side that one token covers
  std::int64_t patch_size_t = 0;  // latent frames that one token covers; 0: one, by convolution
  bool patch_bias = true;         // of the convolution; with patch_size_t there is always a bias
  std::int64_t sample_height = 60, sample_width = 90;  // native size in latents
  std::int64_t sample_frames = 49;                     // native length in frames
  std::int64_t temporal_compression_ratio = 4;
  std::int64_t text_embed_dim = 4096;
  std::int64_t max_text_seq_length = 226;
  std::int64_t time_embed_dim = 512;
  std::int64_t ofs_embed_dim = 0;  // 1.5 from an image: time_embed_dim; else 0
  bool use_rotary_positional_embeddings = true;
  bool use_learned_positional_embeddings = false;  // a stored table, for the native size only
  double spatial_interpolation_scale = 1.875, temporal_interpolation_scale = 1.0;
  bool attention_bias = true;
  bool flip_sin_to_cos = true;  // of the time embedding: cosines first
  double freq_shift = 0;
  double norm_eps = 1e-5;

  /// D, the width of a token.
  std::int64_t width() const { return num_attention_heads * attention_head_dim; }
  /// Latent frames in a token.
  std::int64_t frames_per_token() const { return patch_size_t == 0 ? 1 : patch_size_t; }
  /// Whether a table is added to the tokens, stored or computed.
  bool has_additive_positions() const {
    return !use_rotary_positional_embeddings || use_learned_positional_embeddings;
  }
};

/// The published models.
CogTransformerConfig cogvideox_2b();
CogTransformerConfig cogvideox_5b();
CogTransformerConfig cogvideox_5b_i2v();
CogTransformerConfig cogvideox_15_5b();
CogTransformerConfig cogvideox_15_5b_i2v();

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const CogTransformerConfig& config);

/// @throws Error kBadCheckpoint naming every broken rule
CogTransformerConfig read_transformer_config(const ConfigFile& file);

}  // namespace qingyin
