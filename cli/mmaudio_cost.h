#pragma once

#include "cli/mmaudio_folder.h"
#include "core/time.h"

namespace qingyin::cli {

// Floating-point operations in 10^9, two for each multiply-add of a matrix product.

/// A picture through CLIP's image tower.
double gflop_of_picture(const ClipConfig& clip);
/// A prompt through its text tower.
double gflop_of_text(const ClipConfig& clip);
/// A segment through Synchformer.
double gflop_of_segment(const SynchformerConfig& sync);

/// What a run asks of MMAudio's networks.
struct MmaudioWork {
  Seconds duration;         // of a whole clip; 0: events alone
  bool sees = true;         // the clip's pictures, none of them known from an earlier run
  std::int64_t events = 0;  // rendered one by one, 8 s each
  std::int64_t steps = 25;
  bool is_half = false;  // bfloat16
  int threads = 1;
};

/// About how long it takes on a recent processor without an accelerator: operations over what
/// docs/performance.md measured for each thread.
Seconds estimate_mmaudio(const MmaudioModel& model, const MmaudioWork& work);

}  // namespace qingyin::cli
