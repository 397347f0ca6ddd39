#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/checkpoint/config_file.h"

namespace qingyin {

/// The shape of a CogVideoX VAE, in the words of the published config.json.
struct CogVaeConfig {
  std::vector<std::int64_t> block_out_channels;  // widths, from pixels to latents
  std::int64_t layers_per_block = 3;             // in the encoder; the decoder has one more
  std::int64_t in_channels = 3, out_channels = 3;
  std::int64_t latent_channels = 16;
  std::int64_t norm_num_groups = 32;
  double norm_eps = 1e-6;                                // of the encoder's blocks
  std::int64_t temporal_compression_ratio = 4;           // a power of 2
  std::int64_t sample_height = 480, sample_width = 720;  // pixels; tiles are half of it
  double scaling_factor;              // latents are this times what the encoder gives
  bool invert_scale_latents = false;  // 1.5 from a picture: its latents are divided instead

  /// Pixels of a side that one latent covers.
  std::int64_t spatial_compression() const {
    return std::int64_t{1} << (block_out_channels.size() - 1);
  }
  /// Halvings of time.
  std::int64_t temporal_levels() const;
};

/// The published ones: they differ in scaling and, for 1.5, in `invert_scale_latents`.
CogVaeConfig cogvideox_2b_vae();
CogVaeConfig cogvideox_5b_vae();
CogVaeConfig cogvideox_15_vae();

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const CogVaeConfig& config);

/// @throws Error  kBadCheckpoint naming every broken rule, also for parts that no CogVideoX has
CogVaeConfig read_vae_config(const ConfigFile& file);

}  // namespace qingyin
