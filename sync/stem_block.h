#pragma once

#include <cstdint>
#include <vector>

namespace qingyin {

/// Everything in `sync/` runs at this rate; sample 0 is heard with the first shown frame.
inline constexpr int kOutputRateHz = 48000;

/// The next stretch of all stems: `length` samples, each stem [length, 2] interleaved stereo.
struct StemBlock {
  std::int64_t length = 0;
  std::vector<std::vector<float>> stems;
};

/// The sum of the stems, [length, 2]; silence if there are none.
std::vector<float> sum_of(const StemBlock& block);

}  // namespace qingyin
