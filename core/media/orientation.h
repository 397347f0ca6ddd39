#pragma once

#include <cstdint>
#include <string>

#include "core/media/ffmpeg.h"

namespace qingyin::media {

/// How stored pixels become the upright picture: swap of axes first, then mirroring of each axis.
struct Orientation {
  bool swap_axes = false;
  bool flip_x = false, flip_y = false;  // of the upright picture
  int rotation_deg = 0;                 // clockwise: 0, 90, 180, 270

  bool is_identity() const { return !swap_axes && !flip_x && !flip_y; }
};

/// The nearest right-angle orientation of a stream's display matrix. `complaint` says what was odd
/// about the matrix; it is left alone if nothing was.
Orientation orientation_of(const AVStream& stream, std::string& complaint);

/// Size with square pixels, as stored (not turned): the width carries the pixel aspect.
/// A missing or absurd aspect (beyond 10:1) counts as square.
struct SquareSize {
  std::int64_t width, height;
};
SquareSize square_size(std::int64_t width, std::int64_t height, AVRational pixel_aspect);

}  // namespace qingyin::media
