#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "video_gen/positions.h"
#include "video_gen/vae.h"
#include "video_gen/vae_memory.h"

namespace qingyin {

/// Pictures of a preview, and how wide or high one is at most.
inline constexpr std::int64_t kPreviewPictures = 4, kPreviewPixels = 360;

/// The latents that one picture of a preview is decoded from: a frame, its sides divided until the
/// picture is small. A clip of 720 x 480 costs 0.7 TFLOP a picture so, where a step of 2b with
/// guidance costs 240; a frame at full size would cost four times as much time and memory.
VaeExtent preview_extent(const LatentSize& latents, std::int64_t compression);

/// What a run sees behind the noise, as pictures in a row, the earliest on the left. Each is
/// decoded by itself, from latents that are averaged down.
/// @param clean    [1, f, C, h, w], scaled as the transformer's latents are
/// @param padding  frames of it in front that are not shown
/// @return         uint8 [H, n W, 3], n pictures
at::Tensor preview_strip(const CogVae& vae, const at::Tensor& clean, std::int64_t padding);

}  // namespace qingyin
