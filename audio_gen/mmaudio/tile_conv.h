#pragma once

#include <cstdint>
#include <memory>
#include <vector>

// Convolution over time in fewer multiplications: tiles of 4 results are had from one product for
// each of 6 or 7 points, where 4 times the taps would be taken one by one (Toom and Cook's
// polynomial products; Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray,
// 2016). That halves the work for kernels of 3, 7 and 11 and costs rounding: about four times the
// error of a direct sum in float32. Plain memory: compiled without libtorch.
namespace qingyin::mmaudio {

/// Whether this processor has the vectors that the tiles are written for (AVX2 or AVX-512).
bool can_convolve_by_tiles();

/// The weight of a convolution as the tiles want it.
struct TileWeight {
  std::int64_t in, out, kernel;
  std::int64_t taps;        // of one group: 3 or 4
  std::int64_t groups;      // of taps that the kernel is cut into
  std::int64_t lanes;       // floats of a vector
  std::int64_t vectors;     // side by side in a panel of results
  std::vector<float> data;  // [points, panels, groups * in, vectors * lanes]

  std::int64_t points() const { return taps + 3; }
  std::int64_t panel() const { return vectors * lanes; }
  std::int64_t panels() const { return (out + panel() - 1) / panel(); }
};

/// @param weight  [out, kernel, in], kernel odd and at least 3
TileWeight tile_weight(const float* weight, std::int64_t in, std::int64_t out, std::int64_t kernel);

/// A convolution with zeros past both ends.
struct TileConvJob {
  const TileWeight& weight;
  const float* x;     // [T, in]
  const float* bias;  // [out], or null
  const float* add;   // [T, out] that is added to the result, or null; may be y
  float* y;           // [T, out], not x
  std::int64_t length;
  std::int64_t dilation;

  /// Tiles that the work consists of.
  std::int64_t rows() const;
};

/// Computes the results of tiles [begin, end) on the calling thread. Each value depends on the job
/// alone, not on how its tiles are shared out, apart from the last bits on another kind of
/// processor.
void run_tile_conv(const TileConvJob& job, std::int64_t begin, std::int64_t end);

}  // namespace qingyin::mmaudio
