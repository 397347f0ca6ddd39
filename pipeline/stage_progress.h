#pragma once

#include <string>

#include "core/progress.h"

namespace qingyin {

/// The part [begin, end] of `whole` under a stage's name: a step "x" is shown as "STAGE: x".
Progress stage_of(const Progress& whole, const std::string& stage, double begin, double end);

}  // namespace qingyin
