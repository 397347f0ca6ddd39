#include "pipeline/stage_progress.h"

#include <string_view>

namespace qingyin {

Progress stage_of(const Progress& whole, const std::string& stage, double begin, double end) {
  if (!whole) return {};
  return [part = part_of(whole, begin, end), stage](std::string_view step, double fraction) {
    return part(step.empty() ? stage : stage + ": " + std::string(step), fraction);
  };
}

}  // namespace qingyin
