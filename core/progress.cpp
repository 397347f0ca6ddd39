#include "core/progress.h"

#include <string>

#include "core/error.h"

namespace qingyin {

void report(const Progress& progress, std::string_view step, double fraction) {
  if (progress && !progress(step, fraction))
    throw Error(ErrorCode::kCancelled, std::string(step) + ": stopped on request");
}

Progress part_of(const Progress& whole, double begin, double end) {
  if (!whole) return {};
  return [whole, begin, end](std::string_view step, double fraction) {
    return whole(step, begin + (end - begin) * fraction);
  };
}

}  // namespace qingyin
