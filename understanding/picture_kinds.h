#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace qingyin {

/// What a picture shows to begin at once, in the order of the network's outputs. `kImpact` is also
/// what has no better name.
enum class OnsetKind { kImpact, kFootstep, kDrop, kExplosion };
inline constexpr std::array<std::string_view, 4> kOnsetLabels{"impact", "footstep", "drop",
                                                              "explosion"};

/// What a picture shows to last, in the order of the network's outputs.
enum class LastingKind { kRolling, kScrape, kStream, kFire, kWhoosh };
inline constexpr std::array<std::string_view, 5> kLastingLabels{"rolling", "scrape", "stream",
                                                                "fire", "whoosh"};

inline constexpr std::size_t kOnsetKinds = kOnsetLabels.size();
inline constexpr std::size_t kLastingKinds = kLastingLabels.size();

}  // namespace qingyin
