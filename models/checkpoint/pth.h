#pragma once

#include "models/checkpoint/read_checkpoint.h"

namespace qingyin {

/// Reads what torch.save wrote, as data only: a zip archive (PyTorch 1.6 and later) with a pickle
/// inside. Nothing that the pickle names is looked up or called.
/// @throws Error kBadCheckpoint
Checkpoint read_pth_zip(const CheckpointFile& file);

/// The same for the older stream of pickles, followed by the raw storages.
/// @throws Error kBadCheckpoint
Checkpoint read_pth_legacy(const CheckpointFile& file);

}  // namespace qingyin
