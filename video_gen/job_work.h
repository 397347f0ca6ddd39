#pragma once

#include <cstdint>

#include "video_gen/memory_job.h"

namespace qingyin {

// Multiplications and additions of matrix products and convolutions, in 1e12. What norms and other
// operators of single elements take is left out.

/// The text encoder, for one text.
double text_tera_flop(const MemoryJob& job);

/// One forward of the transformer for one clip.
double transformer_tera_flop(const MemoryJob& job);

/// The VAE's halves for one batch of frames of a clip (`FrameBatch`), as the network is published,
/// except that a frame which the decoder's up-sampler doubles is up-sampled once.
/// @param frames, height, width  pixels
double encoder_tera_flop(const CogVaeConfig& config, std::int64_t frames, std::int64_t height,
                         std::int64_t width);
/// @param frames, height, width  latents
double decoder_tera_flop(const CogVaeConfig& config, std::int64_t frames, std::int64_t height,
                         std::int64_t width);

}  // namespace qingyin
