#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace qingyin {

/// Counter-based random numbers: Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy
/// as 1, 2, 3", SC 2011). The number at a position depends on (seed, stream, position) alone, so
/// threads, windows and devices never change a sample.
class Philox {
 public:
  Philox(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}

  /// The four 32-bit words of one counter value: key = seed, counter = {block, stream}.
  std::array<std::uint32_t, 4> block(std::uint64_t index) const;

  /// Uniform number in [0, 1) with 24 bits; four positions share one block.
  float uniform(std::uint64_t position) const;

  /// Fills `out` with standard normal numbers of positions [first, first + out.size()).
  /// Box-Muller: positions 2k and 2k + 1 come from one pair of words.
  void normal(std::span<float> out, std::uint64_t first = 0) const;

 private:
  std::uint64_t seed_, stream_;
};

/// Derives an independent seed from a seed and a text, for instance an event id.
std::uint64_t derive_seed(std::uint64_t seed, std::string_view name);

}  // namespace qingyin
