#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "video_gen/transformer_config.h"

namespace qingyin {

/// Size of a clip in latents; for 1.5 the padding frame counts.
struct LatentSize {
  std::int64_t frames = 0, height = 0, width = 0;
};

/// A rectangle of the native grid of tokens, in tokens.
struct GridRegion {
  std::int64_t top, left, bottom, right;
};

/// The largest rectangle with the shape of `height` x `width`, centred in the native grid. Rounds
/// half to even, as Python does: a portrait 45 x 30 in 30 x 45 begins at column 12, not 13.
/// Source: diffusers, pipelines/cogvideo/pipeline_cogvideox.py, get_resize_crop_region_for_grid
GridRegion crop_region(std::int64_t base_height, std::int64_t base_width, std::int64_t height,
                       std::int64_t width);

/// Rotary turns of the video tokens (Su et al., "RoFormer", 2021; adjacent channels are pairs). A
/// head's channels are 2/8 for time, 3/8 for rows, 3/8 for columns. Without `patch_size_t` rows and
/// columns are stretched to `crop_region`; with it they are counted from 0, for any size.
/// Source: diffusers, models/embeddings.py, get_3d_rotary_pos_embed
/// @return  [T, K/2] complex float32, T in the order frame, row, column
at::Tensor rotary_turns(const CogTransformerConfig& config, const LatentSize& size);

/// The table that is added to text and video tokens: zeros for the text; for the video sines and
/// cosines of the time in D/4 channels, then of the column and of the row in 3D/8 each.
/// Source: diffusers, models/embeddings.py, get_3d_sincos_pos_embed
/// @return  [text + T, D] float32
at::Tensor sincos_table(const CogTransformerConfig& config, const LatentSize& size);

}  // namespace qingyin
