#pragma once

#include <cstdint>

#include "video_gen/vae_config.h"

namespace qingyin {

/// A clip, or a tile of it, on its way through one half of the VAE: pixels into the encoder,
/// latents into the decoder.
struct VaeExtent {
  std::int64_t frames = 0, height = 0, width = 0;
};

/// Bytes that a half of the VAE holds at its peak beside its weights: the frames of the activations
/// that live at once, and what the causal convolutions keep from one batch to the next. Counted
/// along the networks as `vae_blocks.cpp` runs them.
std::int64_t encoder_working_bytes(const CogVaeConfig& config, const VaeExtent& pixels,
                                   std::int64_t element_bytes);
std::int64_t decoder_working_bytes(const CogVaeConfig& config, const VaeExtent& latents,
                                   std::int64_t element_bytes);

}  // namespace qingyin
