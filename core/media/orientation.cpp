#include "core/media/orientation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace qingyin::media {

Orientation orientation_of(const AVStream& stream, std::string& complaint) {
  Orientation result;
  std::size_t size = 0;
  const std::uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
  std::array<std::int32_t, 9> matrix{};
  if (!data || size < sizeof matrix) return result;
  std::memcpy(matrix.data(), data, sizeof matrix);
  // A stored point (x, y) is shown at (a x + c y, b x + d y); y points down.
  const std::int64_t a = matrix[0], b = matrix[1], c = matrix[3], d = matrix[4];
  const std::int64_t straight = std::min(std::abs(a), std::abs(d));
  const std::int64_t crossed = std::min(std::abs(b), std::abs(c));
  if (straight == 0 && crossed == 0) {
    complaint = "its rotation matrix is not usable and is ignored";
    return result;
  }
  if (std::min(straight, crossed) * 20 > std::max(straight, crossed)) {
    complaint = "its rotation is not a right angle; the nearest one is used";
  }
  result.swap_axes = crossed > straight;
  result.flip_x = result.swap_axes ? c < 0 : a < 0;
  result.flip_y = result.swap_axes ? b < 0 : d < 0;
  const double turns = std::atan2(static_cast<double>(b), static_cast<double>(a)) / (M_PI / 2);
  result.rotation_deg = static_cast<int>((std::lround(turns) + 4) % 4) * 90;
  return result;
}

SquareSize square_size(std::int64_t width, std::int64_t height, AVRational pixel_aspect) {
  const double aspect = pixel_aspect.num > 0 && pixel_aspect.den > 0
                            ? static_cast<double>(pixel_aspect.num) / pixel_aspect.den
                            : 1.0;
  constexpr double kAbsurd = 10.0;
  if (aspect > kAbsurd || aspect < 1.0 / kAbsurd) return {width, height};
  const auto wide = std::llround(static_cast<double>(width) * aspect);
  return {std::max<std::int64_t>(wide, 1), height};
}

}  // namespace qingyin::media
