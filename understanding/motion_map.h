#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qingyin {

/// Size of the small grey pictures that the detector network's input is measured on.
inline constexpr int kSmallWidth = 96, kSmallHeight = 64;

/// A grey picture [kSmallHeight, kSmallWidth], 0 to 255, whatever its clip's shape.
using SmallPicture = std::vector<float>;

/// Averages the pixels that fall into each small one.
/// @param pixels  [height, width], `stride` bytes from row to row
SmallPicture shrink(std::span<const std::uint8_t> pixels, int width, int height,
                    std::size_t stride);

/// Cells of a motion map across and down, and what is known of each.
inline constexpr int kMapColumns = 12, kMapRows = 8, kMapCells = kMapColumns * kMapRows;
inline constexpr int kMapChannels = 10;

/// What moved between two shown frames, as the detector network sees it: [channel, row, column].
///
///   0, 1   speed right and down without the camera's (the median), pixels per second
///   2, 3   change of the picture, before and after the motion is taken out, grey levels per second
///   4      signed change of the brightness, grey levels
///   5, 6   mean and deviation of the later picture, grey levels
///   7, 8   speed of the camera right and down, pixels per second; the same in all cells
///   9      time between the frames; the same in all cells
///
/// Values are on compressed scales, about -3 to 3.
struct MotionMap {
  double start_s = 0, end_s = 0;  // presentation times of the two frames
  std::array<float, static_cast<std::size_t>(kMapChannels) * kMapCells> values{};
};

/// Measures by the method of Lucas & Kanade ("An iterative image registration technique", 1981) on
/// a pyramid of three levels, one motion per cell.
MotionMap map_motion(const SmallPicture& before, const SmallPicture& after, double start_s,
                     double end_s);

}  // namespace qingyin
