#include "understanding/picture_preparation.h"

#include <ATen/ATen.h>

#include <string>

#include "core/error.h"
#include "understanding/frame_picking.h"

namespace qingyin {
namespace {

/// [1, 3, H, W] uint8 over the picture's own memory, channels last.
at::Tensor view_of(const RgbView& picture) {
  require(picture.height > 0 && picture.width > 0 &&
              picture.pixels.size() == static_cast<std::size_t>(picture.height * picture.width * 3),
          ErrorCode::kInvalidInput,
          "a picture of " + std::to_string(picture.width) + " x " + std::to_string(picture.height) +
              " pixels has " + std::to_string(picture.pixels.size()) +
              " bytes, expected 3 for every pixel");
  auto* data = const_cast<std::uint8_t*>(picture.pixels.data());  // only read below
  return at::from_blob(data, {1, picture.height, picture.width, 3}, at::kByte)
      .permute({0, 3, 1, 2});
}

at::Tensor resized(const at::Tensor& picture, std::int64_t height, std::int64_t width) {
  if (picture.size(2) == height && picture.size(3) == width) return picture;
  // On uint8 this rounds between its two passes, as torchvision does.
  return at::_upsample_bicubic2d_aa(picture, {height, width}, /*align_corners=*/false);
}

PreparedPicture prepared(const at::Tensor& picture) {
  const auto planes = picture.contiguous();  // [1, 3, S, S]
  const auto* data = planes.const_data_ptr<std::uint8_t>();
  return {.side = planes.size(2), .planes = {data, data + planes.numel()}};
}

}  // namespace

PreparedPicture prepare_clip_picture(const RgbView& picture) {
  const c10::InferenceMode no_autograd;
  return prepared(resized(view_of(picture), kClipPictureSide, kClipPictureSide));
}

PreparedPicture prepare_sync_picture(const RgbView& picture) {
  const c10::InferenceMode no_autograd;
  const at::Tensor view = view_of(picture);
  const SquareCrop crop = middle_square(picture.width, picture.height, kSyncPictureSide);
  return prepared(resized(view, crop.height, crop.width)
                      .narrow(2, crop.top, kSyncPictureSide)
                      .narrow(3, crop.left, kSyncPictureSide));
}

}  // namespace qingyin
