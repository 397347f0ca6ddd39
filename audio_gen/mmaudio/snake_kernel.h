#pragma once

#include <cstdint>

namespace qingyin::mmaudio {

inline constexpr std::int64_t kSnakeTaps = 12;

/// A sound and what is done to it: see `SnakeParameters`. Plain memory, so that the kernels are
/// compiled without libtorch.
struct SnakeJob {
  const float* x;                              // [T, C]
  float* y;                                    // [T, C], not x
  std::int64_t length, channels;               // T, C
  const float *frequency, *inverse_magnitude;  // [C] e^alpha, 1 / (e^beta + 1e-9)
  const float *up_taps, *down_taps;            // [12]
};

/// Computes y[begin] .. y[end - 1] of all channels on the calling thread. Each value depends on the
/// job alone, not on where a range begins, apart from the last bits where the compiler's vectors
/// are of another width on another kind of processor.
void run_snake(const SnakeJob& job, std::int64_t begin, std::int64_t end);

/// Launches the kernel for one job in memory of the current CUDA device, on its default stream.
/// Without nvcc it only says so.
/// @return null, or what went wrong
const char* run_snake_cuda(const SnakeJob& job);

}  // namespace qingyin::mmaudio
