#pragma once

#include <array>

namespace qingyin {

/// Cells that the picture is divided into, across and down.
inline constexpr int kGridSide = 8;
inline constexpr int kCells = kGridSide * kGridSide;

/// One number per cell, row by row from the top left.
using CellMap = std::array<float, kCells>;

/// What moved between two shown frames. Lengths are measured on a picture whose longer side is
/// 320, so that clips of any size compare; the camera's own shift (the median flow) is taken out.
struct MotionSample {
  double start_s = 0, end_s = 0;  // presentation times of the two frames
  CellMap down{};                 // mean of the downward speed, 1/s of a 320th of the longer side
  CellMap change{};               // mean of |difference of the blurred pictures|, grey levels per s
  float level = 0;                // mean of `change` over the picture
  float brighter = 0;             // mean signed difference, grey levels
};

}  // namespace qingyin
