#pragma once

#include <memory>

#include "cli/load_pipeline.h"

namespace qingyin {
class Labeller;
}

namespace qingyin::cli {

/// What names the sounds of a clip, as the options ask for it; null: nothing is to, or "auto" finds
/// no weights of CLIP, or they do not fit into --memory.
/// @throws Error  kModelMissing, kBadCheckpoint if weights were asked for and are not there or
///                wrong; kInvalidInput for a broken label list; kDevice
std::shared_ptr<Labeller> load_labeller(const StageOptions& options);

}  // namespace qingyin::cli
