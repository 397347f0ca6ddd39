#include "video_gen/vae_tiles.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/error.h"

namespace qingyin {
namespace {

constexpr std::int64_t kRows = -2, kColumns = -1;

// As the reference: a double product, truncated.
std::int64_t truncated(std::int64_t length, double factor) {
  return static_cast<std::int64_t>(static_cast<double>(length) * factor);
}

/// Lengths of one side: `in` and `out` are the tile's lengths before and after the network.
TileSide side_of(std::int64_t in, std::int64_t out, double overlap) {
  const TileSide side{.tile = in,
                      .step = truncated(in, 1 - overlap),
                      .blend = truncated(out, overlap),
                      .keep = out - truncated(out, overlap)};
  require(overlap >= 0 && overlap < 1 && side.tile >= 1 && side.step >= 1 && side.keep >= 1,
          ErrorCode::kUsage,
          "video VAE: tiles of " + std::to_string(std::max(in, out)) +
              " pixels with an overlap of " + std::to_string(overlap) +
              " leave nothing; use larger tiles or a smaller overlap");
  return side;
}

/// The last `length` entries of a side, in memory of their own, or all if there are fewer.
at::Tensor end_of(const at::Tensor& x, std::int64_t dim, std::int64_t length) {
  const std::int64_t count = std::min(length, x.size(dim));
  return x.narrow(dim, x.size(dim) - count, count).clone();
}

/// Fades from the end of `before` into the beginning of `x`, in place.
void blend(const at::Tensor& before, at::Tensor& x, std::int64_t dim, std::int64_t length) {
  const std::int64_t extent = std::min({before.size(dim), x.size(dim), length});
  if (extent == 0) return;
  std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim()), 1);
  shape[static_cast<std::size_t>(x.dim() + dim)] = extent;
  const at::Tensor weight =
      (at::arange(extent, at::kDouble) / static_cast<double>(extent)).to(x.options()).view(shape);
  at::Tensor start = x.narrow(dim, 0, extent);
  const at::Tensor end = before.narrow(dim, before.size(dim) - extent, extent);
  start.copy_(end * (1 - weight) + start * weight);
}

/// Of the decoder: a tile of half the config's size, `parts - 1` of its `parts` parts kept.
TileSide seamless(std::int64_t pixels, std::int64_t compression, std::int64_t parts) {
  const std::int64_t tile = std::max<std::int64_t>(1, pixels / compression);
  const std::int64_t step = std::max<std::int64_t>(1, tile * (parts - 1) / parts);
  return {
      .tile = tile, .step = step, .blend = (tile - step) * compression, .keep = step * compression};
}

/// The same tiles the other way, from pixels to latents.
TileSide reversed(const TileSide& side, std::int64_t compression) {
  return {.tile = side.tile * compression,
          .step = side.step * compression,
          .blend = side.blend / compression,
          .keep = side.keep / compression};
}

}  // namespace

TilingRequest usual_tiling(const CogVaeConfig& config) {
  return {.height = config.sample_height / 2, .width = config.sample_width / 2};
}

TileGrid encoder_grid(const CogVaeConfig& config, const TilingRequest& r) {
  const std::int64_t compression = config.spatial_compression();
  return {.rows = side_of(r.height, r.height / compression, r.overlap_height),
          .columns = side_of(r.width, r.width / compression, r.overlap_width)};
}

TileGrid decoder_grid(const CogVaeConfig& config, const TilingRequest& r) {
  const std::int64_t compression = config.spatial_compression();
  return {.rows = side_of(r.height / compression, r.height, r.overlap_height),
          .columns = side_of(r.width / compression, r.width, r.overlap_width)};
}

TileGrid seamless_encoder_grid(const CogVaeConfig& config) {
  const TileGrid grid = seamless_decoder_grid(config);
  const std::int64_t compression = config.spatial_compression();
  return {.rows = reversed(grid.rows, compression), .columns = reversed(grid.columns, compression)};
}

TileGrid seamless_decoder_grid(const CogVaeConfig& config) {
  const TilingRequest usual = usual_tiling(config);
  const std::int64_t compression = config.spatial_compression();
  return {.rows = seamless(usual.height, compression, 6),
          .columns = seamless(usual.width, compression, 5)};
}

void for_each_tile(const at::Tensor& input, const TileGrid& grid,
                   const std::function<at::Tensor(const at::Tensor& tile)>& run,
                   const std::function<void(const at::Tensor& part, const VideoPlace&)>& take) {
  const auto cut = [](const at::Tensor& x, std::int64_t dim, std::int64_t from,
                      std::int64_t length) {
    return x.narrow(dim, from, std::min(length, x.size(dim) - from));
  };
  std::vector<at::Tensor> above;  // the lower strips of the row of tiles before
  VideoPlace place;
  for (std::int64_t row = 0; row < input.size(kRows); row += grid.rows.step) {
    std::vector<at::Tensor> lower;
    at::Tensor left;
    std::int64_t kept_rows = 0;
    place.left = 0;
    for (std::int64_t column = 0; column < input.size(kColumns); column += grid.columns.step) {
      at::Tensor tile =
          run(cut(cut(input, kRows, row, grid.rows.tile), kColumns, column, grid.columns.tile));
      if (row > 0) blend(above[lower.size()], tile, kRows, grid.rows.blend);
      if (column > 0) blend(left, tile, kColumns, grid.columns.blend);
      lower.push_back(end_of(tile, kRows, grid.rows.blend));
      left = end_of(tile, kColumns, grid.columns.blend);
      const at::Tensor part =
          cut(cut(tile, kRows, 0, grid.rows.keep), kColumns, 0, grid.columns.keep);
      take(part, place);
      place.left += part.size(kColumns);
      kept_rows = part.size(kRows);
    }
    above = std::move(lower);
    place.top += kept_rows;
  }
}

at::Tensor run_tiled(const at::Tensor& input, const TileGrid& grid,
                     const std::function<at::Tensor(const at::Tensor& tile)>& run) {
  std::vector<at::Tensor> rows, row;
  const auto end_row = [&] {
    if (!row.empty()) rows.push_back(at::cat(row, kColumns));
    row.clear();
  };
  for_each_tile(input, grid, run, [&](const at::Tensor& part, const VideoPlace& place) {
    if (place.left == 0) end_row();
    row.push_back(part.clone());
  });
  end_row();
  return at::cat(rows, kRows);
}

}  // namespace qingyin
