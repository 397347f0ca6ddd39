#include "video_gen/positions.h"

#include <ATen/ATen.h>

#include <cmath>

namespace qingyin {
namespace {

std::int64_t round_half_to_even(double x) {
  const double below = std::floor(x), rest = x - below;
  const bool goes_up = rest > 0.5 || (rest == 0.5 && std::fmod(below, 2) != 0);
  return static_cast<std::int64_t>(below) + (goes_up ? 1 : 0);
}

at::Tensor counted(std::int64_t n, double step) { return at::arange(n, at::kDouble) * step; }

/// n positions from `start` on that share [start, stop).
at::Tensor spread(std::int64_t start, std::int64_t stop, std::int64_t n) {
  const auto count = static_cast<double>(n);
  const double last = static_cast<double>(stop) * (count - 1) / count;
  return at::linspace(static_cast<double>(start), last, n, at::kDouble);
}

/// Angles of one axis. @return [n, width / 2]
at::Tensor rotary_angles(const at::Tensor& positions, std::int64_t width) {
  const at::Tensor exponents = at::arange(0, width, 2, at::kDouble) / static_cast<double>(width);
  return at::outer(positions, at::pow(10000.0, exponents).reciprocal());
}

/// [sines, cosines] of one axis. @return [n, width]
at::Tensor sincos(const at::Tensor& positions, std::int64_t width) {
  const std::int64_t half = width / 2;
  const at::Tensor exponents = at::arange(half, at::kDouble) / static_cast<double>(half);
  const at::Tensor angles = at::outer(positions, at::pow(10000.0, exponents).reciprocal());
  return at::cat({angles.sin(), angles.cos()}, 1);
}

struct Grid {
  std::int64_t frames, rows, columns;

  /// Joins tables of the three axes [n, C_axis] into [frames * rows * columns, sum of C], in the
  /// order given.
  at::Tensor join(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c) const {
    return at::cat({a, b, c}, -1).reshape({frames * rows * columns, -1});
  }
  at::Tensor along_frames(const at::Tensor& t) const {
    return t.view({frames, 1, 1, -1}).expand({frames, rows, columns, -1});
  }
  at::Tensor along_rows(const at::Tensor& t) const {
    return t.view({1, rows, 1, -1}).expand({frames, rows, columns, -1});
  }
  at::Tensor along_columns(const at::Tensor& t) const {
    return t.view({1, 1, columns, -1}).expand({frames, rows, columns, -1});
  }
};

Grid grid_of(const CogTransformerConfig& c, const LatentSize& size) {
  const std::int64_t per_token = c.frames_per_token();
  return {.frames = (size.frames + per_token - 1) / per_token,
          .rows = size.height / c.patch_size,
          .columns = size.width / c.patch_size};
}

}  // namespace

GridRegion crop_region(std::int64_t base_height, std::int64_t base_width, std::int64_t height,
                       std::int64_t width) {
  const auto bh = static_cast<double>(base_height), bw = static_cast<double>(base_width);
  const auto h = static_cast<double>(height), w = static_cast<double>(width);
  std::int64_t used_height = base_height, used_width = base_width;
  if (h / w > bh / bw)
    used_width = round_half_to_even(bh / h * w);
  else
    used_height = round_half_to_even(bw / w * h);
  const std::int64_t top = round_half_to_even(static_cast<double>(base_height - used_height) / 2);
  const std::int64_t left = round_half_to_even(static_cast<double>(base_width - used_width) / 2);
  return {.top = top, .left = left, .bottom = top + used_height, .right = left + used_width};
}

at::Tensor rotary_turns(const CogTransformerConfig& c, const LatentSize& size) {
  const Grid grid = grid_of(c, size);
  at::Tensor rows = counted(grid.rows, 1), columns = counted(grid.columns, 1);
  if (c.patch_size_t == 0) {
    const GridRegion region = crop_region(c.sample_height / c.patch_size,
                                          c.sample_width / c.patch_size, grid.rows, grid.columns);
    rows = spread(region.top, region.bottom, grid.rows);
    columns = spread(region.left, region.right, grid.columns);
  }
  const std::int64_t time_width = c.attention_head_dim / 4, side = c.attention_head_dim / 8 * 3;
  const at::Tensor angles =
      grid.join(grid.along_frames(rotary_angles(counted(grid.frames, 1), time_width)),
                grid.along_rows(rotary_angles(rows, side)),
                grid.along_columns(rotary_angles(columns, side)));  // [T, K/2]
  return at::complex(angles.cos().to(at::kFloat), angles.sin().to(at::kFloat));
}

at::Tensor sincos_table(const CogTransformerConfig& c, const LatentSize& size) {
  const Grid grid = grid_of(c, size);
  const std::int64_t width = c.width(), side = width * 3 / 8;
  const double in_space = 1 / c.spatial_interpolation_scale;
  const at::Tensor video =
      grid.join(grid.along_frames(
                    sincos(counted(grid.frames, 1 / c.temporal_interpolation_scale), width / 4)),
                grid.along_columns(sincos(counted(grid.columns, in_space), side)),
                grid.along_rows(sincos(counted(grid.rows, in_space), side)));  // [T, D]
  return at::cat({at::zeros({c.max_text_seq_length, width}, at::kDouble), video}, 0).to(at::kFloat);
}

}  // namespace qingyin
