#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace qingyin {

/// A picture: [height, width, 3] uint8, sRGB, row-major.
struct RgbPicture {
  std::int64_t height = 0, width = 0;
  std::vector<std::uint8_t> pixels;
};

/// Pictures of a clip one after the other; none at the end.
using PictureSource = std::function<std::optional<RgbPicture>()>;

}  // namespace qingyin
