#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qingyin {

/// A picture that somebody else owns: [height, width, 3], RGB, row-major.
struct RgbView {
  std::int64_t height, width;
  std::span<const std::uint8_t> pixels;
};

/// A square picture as a network wants it: [3, side, side], RGB planes.
struct PreparedPicture {
  std::int64_t side;
  std::vector<std::uint8_t> planes;

  friend bool operator==(const PreparedPicture&, const PreparedPicture&) = default;
};

inline constexpr std::int64_t kClipPictureSide = 384, kSyncPictureSide = 224;  // pixels

/// The whole picture squashed to 384 x 384 (MMAudio's input of CLIP).
/// Bit-exact with torchvision's uint8 bicubic resize with antialiasing, on which the published
/// networks ran: mmaudio/eval_utils.py of hkchengrex/MMAudio.
/// @throws Error  kInvalidInput if the size and the pixels do not fit, or there are none
PreparedPicture prepare_clip_picture(const RgbView& picture);

/// The shorter edge scaled to 224 and the middle square cut out (MMAudio's input of Synchformer).
/// What lies outside of the square is not seen. @throws Error kInvalidInput
PreparedPicture prepare_sync_picture(const RgbView& picture);

}  // namespace qingyin
