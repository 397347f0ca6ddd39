#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "video_gen/vae_config.h"

namespace qingyin {

/// Where a part of a clip belongs.
struct VideoPlace {
  std::int64_t frame = 0, top = 0, left = 0;
};

/// Lengths along one side of the pictures: of the network's input, then of its output.
struct TileSide {
  std::int64_t tile, step;   // of the input: a tile, and from one to the next
  std::int64_t blend, keep;  // of the output: overlap with the one before, and what is kept

  friend bool operator==(const TileSide&, const TileSide&) = default;
};

/// How pictures are cut into overlapping tiles.
struct TileGrid {
  TileSide rows, columns;

  bool applies_to(std::int64_t height, std::int64_t width) const {
    return height > rows.tile || width > columns.tile;
  }
};

/// Tiling in the words of diffusers' `enable_tiling`, which truncates the products of sizes and
/// overlaps. Sizes in pixels.
struct TilingRequest {
  std::int64_t height, width;
  double overlap_height = 1.0 / 6, overlap_width = 1.0 / 5;
};

/// Half of the config's size, as diffusers tiles if nothing else is asked for.
TilingRequest usual_tiling(const CogVaeConfig& config);

TileGrid encoder_grid(const CogVaeConfig& config, const TilingRequest& request);
TileGrid decoder_grid(const CogVaeConfig& config, const TilingRequest& request);

/// The usual grids for the published VAEs; for one of another size the nearest grids whose tiles
/// fit without gaps, which truncated products do not promise.
TileGrid seamless_encoder_grid(const CogVaeConfig& config);
TileGrid seamless_decoder_grid(const CogVaeConfig& config);

/// Runs a network over tiles and blends each with the one above, then with the one on its left;
/// both are blended already. Of neighbours only the overlapping strips are kept.
/// @param input  [..., H, W]
/// @param run    the network, from a tile of the input to its output
/// @param take   gets each blended part and its place in the whole, in rows from the top left
void for_each_tile(const at::Tensor& input, const TileGrid& grid,
                   const std::function<at::Tensor(const at::Tensor& tile)>& run,
                   const std::function<void(const at::Tensor& part, const VideoPlace&)>& take);

/// The same, put together.
at::Tensor run_tiled(const at::Tensor& input, const TileGrid& grid,
                     const std::function<at::Tensor(const at::Tensor& tile)>& run);

}  // namespace qingyin
