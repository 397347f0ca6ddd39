#include "video_gen/preview.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

#include "video_gen/pipeline_parts.h"

namespace qingyin {

VaeExtent preview_extent(const LatentSize& latents, std::int64_t compression) {
  const std::int64_t longest = std::max(latents.height, latents.width) * compression;
  const std::int64_t divisor = (longest + kPreviewPixels - 1) / kPreviewPixels;
  return {.frames = 1,
          .height = std::max<std::int64_t>(1, latents.height / divisor),
          .width = std::max<std::int64_t>(1, latents.width / divisor)};
}

at::Tensor preview_strip(const CogVae& vae, const at::Tensor& clean, std::int64_t padding) {
  const CogVaeConfig& config = vae->config();
  const VaeExtent extent =
      preview_extent({.frames = clean.size(1), .height = clean.size(3), .width = clean.size(4)},
                     config.spatial_compression());
  const std::int64_t frames = clean.size(1) - padding, count = std::min(frames, kPreviewPictures);
  std::vector<at::Tensor> pictures;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t frame = count == 1 ? 0 : i * (frames - 1) / (count - 1);
    const at::Tensor latents =
        at::adaptive_avg_pool2d(clean.select(1, padding + frame).to(at::kFloat),
                                {extent.height, extent.width})
            .div_(config.scaling_factor);                         // [1, C, h', w']
    const at::Tensor values = vae->decode(latents.unsqueeze(2));  // [1, 3, 1, H, W]
    pictures.push_back((as_unit(values)[0].select(1, 0) * 255).round().to(at::kByte));
  }
  return at::cat(pictures, 2).permute({1, 2, 0}).contiguous();
}

}  // namespace qingyin
