#pragma once

namespace qingyin {

/// Gives memory that was freed back to the system, where the allocator can: without it the blocks
/// of a network that is gone stay resident beside those of the next one.
void give_back_freed_memory();

}  // namespace qingyin
