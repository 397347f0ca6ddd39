#include "pipeline/estimate.h"

#include <algorithm>
#include <cmath>

#include "pipeline/sound_pass.h"

namespace qingyin {

Estimate estimate_run(Seconds duration, bool detects, int threads) {
  // Measured on 720p clips with about an event a second; a guide, not a promise.
  constexpr double kDetectPerSecond = 0.5, kRenderPerSecond = 0.6, kStart = 1;
  constexpr std::int64_t kBytesPerSecond = 48000 * 2 * sizeof(float);
  const double seconds = duration.count();
  const double work = (detects ? kDetectPerSecond : 0) + kRenderPerSecond;
  return {static_cast<std::int64_t>(std::ceil(seconds / sound_window().count())),
          Seconds(kStart + seconds * work / std::max(1, threads)),
          static_cast<std::int64_t>(seconds * kBytesPerSecond)};
}

}  // namespace qingyin
