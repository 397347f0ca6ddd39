#include "core/philox.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

namespace qingyin {
namespace {

struct KnownAnswer {
  std::array<std::uint32_t, 4> counter;
  std::array<std::uint32_t, 2> key;
  std::array<std::uint32_t, 4> words;
};

std::uint64_t join(std::uint32_t low, std::uint32_t high) {
  return (static_cast<std::uint64_t>(high) << 32U) | low;
}

// The vectors for "philox4x32 10" in Random123's kat_vectors.
TEST(Philox, GivesThePublishedWords) {
  const KnownAnswer answers[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for (const KnownAnswer& answer : answers) {
    const Philox noise(join(answer.key[0], answer.key[1]),
                       join(answer.counter[2], answer.counter[3]));
    EXPECT_EQ(noise.block(join(answer.counter[0], answer.counter[1])), answer.words);
  }
}

TEST(Philox, UniformIsTheTop24BitsOfItsWord) {
  const Philox noise(0, 0);
  EXPECT_EQ(noise.uniform(0), static_cast<float>(0x6627e8) * 0x1p-24F);
  EXPECT_EQ(noise.uniform(3), static_cast<float>(0x9b00db) * 0x1p-24F);
  EXPECT_EQ(Philox(~0ULL, ~0ULL).uniform(4),
            static_cast<float>(Philox(~0ULL, ~0ULL).block(1)[0] >> 8U) * 0x1p-24F);
}

TEST(Philox, UniformFillsTheUnitIntervalEvenly) {
  const Philox noise(17, 3);
  constexpr int kCount = 160000, kBins = 16;
  std::vector<int> bins(kBins);
  for (int i = 0; i < kCount; ++i) {
    const float value = noise.uniform(static_cast<std::uint64_t>(i));
    ASSERT_GE(value, 0.0F);
    ASSERT_LT(value, 1.0F);
    ++bins[static_cast<std::size_t>(value * kBins)];
  }
  double chi_squared = 0;
  for (const int count : bins) {
    const double excess = count - kCount / kBins;
    chi_squared += excess * excess / (kCount / kBins);
  }
  EXPECT_LT(chi_squared, 37.7);  // 15 degrees of freedom, p = 0.001
}

TEST(Philox, NormalIsTheSameHoweverARangeIsSplit) {
  const Philox noise(123456789, 42);
  std::vector<float> whole(1000);
  noise.normal(whole, 5);
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 64U, 999U}) {
    std::vector<float> parts(whole.size());
    for (std::size_t at = 0; at < parts.size(); at += piece) {
      const auto count = std::min(piece, parts.size() - at);
      noise.normal(std::span(parts).subspan(at, count), 5 + at);
    }
    EXPECT_EQ(parts, whole) << "pieces of " << piece;
  }
}

TEST(Philox, NormalIsBoxMullerOfItsWords) {
  float values[4];
  Philox(0, 0).normal(values);
  const double u1 = (0x6627e8d5 + 0.5) / 4294967296.0, angle = 2 * M_PI * 0xe169c58d / 4294967296.0;
  EXPECT_FLOAT_EQ(values[0], static_cast<float>(std::sqrt(-2 * std::log(u1)) * std::cos(angle)));
  EXPECT_FLOAT_EQ(values[1], static_cast<float>(std::sqrt(-2 * std::log(u1)) * std::sin(angle)));
  EXPECT_NE(values[2], values[0]);
}

TEST(Philox, NormalHasTheMomentsOfANormal) {
  std::vector<float> values(400000);
  Philox(7, 0).normal(values);
  double mean = 0, variance = 0, third = 0, fourth = 0, neighbours = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = values[i];
    ASSERT_TRUE(std::isfinite(x));
    mean += x;
    variance += x * x;
    third += x * x * x;
    fourth += x * x * x * x;
    if (i > 0) neighbours += x * values[i - 1];
  }
  const auto count = static_cast<double>(values.size());
  EXPECT_NEAR(mean / count, 0, 0.007);  // 4 standard errors each
  EXPECT_NEAR(variance / count, 1, 0.01);
  EXPECT_NEAR(third / count, 0, 0.025);
  EXPECT_NEAR(fourth / count, 3, 0.07);
  EXPECT_NEAR(neighbours / count, 0, 0.007);
}

TEST(Philox, SeedsAndStreamsAreDifferentNoise) {
  std::set<std::array<std::uint32_t, 4>> blocks;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t stream = 0; stream < 20; ++stream) {
      blocks.insert(Philox(seed, stream).block(0));
      blocks.insert(Philox(seed << 32U, stream << 32U).block(1));
    }
  }
  EXPECT_EQ(blocks.size(), 800U);
}

TEST(DeriveSeed, IsStableAndTellsNamesAndSeedsApart) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (int i = 0; i < 1000; ++i) seeds.insert(derive_seed(seed, "e" + std::to_string(i)));
  }
  EXPECT_EQ(seeds.size(), 10000U);
  EXPECT_EQ(derive_seed(5, "e1"), derive_seed(5, "e1"));
  EXPECT_NE(derive_seed(5, ""), derive_seed(6, ""));
}

}  // namespace
}  // namespace qingyin
