#pragma once

#include <array>
#include <cstdint>

#include "video_gen/picture.h"

namespace qingyin {

/// Throws kInvalidInput unless the picture has pixels and as many as its size says.
void require_picture(const RgbPicture& picture);

/// The picture stretched to a size, its shape not kept: Lanczos with three lobes in two passes,
/// columns first, each rounded to 8 bits. Exact with Pillow's `resize(LANCZOS)`, on which the
/// published pipelines prepare their pictures (src/libImaging/Resample.c there).
/// @throws Error  kInvalidInput if the picture has no pixels or not as many as its size says
RgbPicture resized(const RgbPicture& picture, std::int64_t height, std::int64_t width);

/// How a picture of another shape gets to the size of the clip.
enum class PictureFit {
  kStretch,  // as the reference pipelines
  kCrop,     // the middle is kept, what sticks out is cut off
  kPad,      // all is kept, on black
};

/// The picture at a size. @throws Error as `resized`
RgbPicture fitted(const RgbPicture& picture, std::int64_t height, std::int64_t width,
                  PictureFit fit);

/// What the networks see for each of the 256 values: 2 (v / 255) - 1, in float32.
std::array<float, 256> network_values();

}  // namespace qingyin
