#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/events.h"

namespace qingyin {

/// Gives every event and layer whose seed is 0 (none of its own) the seed that follows from `base`
/// and its id: below 2^53, so that every JSON reader keeps it, and never 0.
void assign_seeds(EventTimeline& timeline, std::uint64_t base);

/// A new seed for the events and layers of these ids, so that they alone sound new; it follows from
/// the old seed and `base`. Locked ones stay as they are.
/// @return        one note for each locked one
/// @throws Error  kUsage if an id is not in the timeline, before anything is changed
std::vector<std::string> reroll(EventTimeline& timeline, const std::vector<std::string>& ids,
                                std::uint64_t base);

}  // namespace qingyin
