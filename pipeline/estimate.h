#pragma once

#include <cstdint>

#include "core/time.h"

namespace qingyin {

/// What a run will take, roughly.
struct Estimate {
  std::int64_t windows;  // pieces of the clip that are in memory one at a time
  Seconds time;
  std::int64_t disk_bytes;  // output and temporary files together
};

/// From the duration alone, with the figures of `./dev bench`.
/// @param detects  whether the picture is analysed too
Estimate estimate_run(Seconds duration, bool detects, int threads);

}  // namespace qingyin
