#include "core/philox.h"

#include <cmath>
#include <numbers>

namespace qingyin {
namespace {

constexpr std::uint32_t low_word(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
constexpr std::uint32_t high_word(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32U);
}

// Box-Muller in double: the float result is then the same on every libm that is right to a few ulp.
std::array<float, 2> normal_pair(std::uint32_t for_radius, std::uint32_t for_angle) {
  constexpr double kScale = 0x1p-32;
  const double radius = std::sqrt(-2.0 * std::log((for_radius + 0.5) * kScale));
  const double angle = 2.0 * std::numbers::pi * (for_angle * kScale);
  return {static_cast<float>(radius * std::cos(angle)),
          static_cast<float>(radius * std::sin(angle))};
}

}  // namespace

std::array<std::uint32_t, 4> Philox::block(std::uint64_t index) const {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  constexpr int kRounds = 10;
  std::array<std::uint32_t, 4> counter{low_word(index), high_word(index), low_word(stream_),
                                       high_word(stream_)};
  std::uint32_t key0 = low_word(seed_), key1 = high_word(seed_);
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {high_word(product1) ^ counter[1] ^ key0, low_word(product1),
               high_word(product0) ^ counter[3] ^ key1, low_word(product0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return counter;
}

float Philox::uniform(std::uint64_t position) const {
  return static_cast<float>(block(position / 4)[position % 4] >> 8U) * 0x1p-24F;
}

void Philox::normal(std::span<float> out, std::uint64_t first) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::uint64_t position = first + done;
    const auto words = block(position / 4);
    const auto low = normal_pair(words[0], words[1]);
    const auto high = normal_pair(words[2], words[3]);
    const std::array<float, 4> values{low[0], low[1], high[0], high[1]};
    for (auto lane = position % 4; lane < 4 && done < out.size(); ++lane) {
      out[done++] = values[lane];
    }
  }
}

std::uint64_t derive_seed(std::uint64_t seed, std::string_view name) {
  // FNV-1a names the stream; Philox mixes it with the seed.
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  const auto words = Philox(seed, hash).block(0);
  return (static_cast<std::uint64_t>(words[1]) << 32U) | words[0];
}

}  // namespace qingyin
