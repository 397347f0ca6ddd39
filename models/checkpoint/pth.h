#pragma once

#include <string>
#include <string_view>

#include "models/checkpoint/partial_checkpoint.h"

namespace qingyin {

/// True if a file that begins so is what torch.save writes: a zip archive (PyTorch 1.6 and later),
/// or the older stream of pickles.
bool is_pth(std::string_view first_bytes);

/// Reads what torch.save wrote, as data only: nothing that its pickles name is looked up or called.
/// The rules follow PyTorch's restricted loader (torch/_weights_only_unpickler.py), and are
/// stricter.
/// Each tensor is read into contiguous memory of its own.
/// @throws Error kBadCheckpoint
void stream_pth(const CheckpointFile& file, const TensorFilter& wanted, const ShapeCheck& check,
                const TensorSink& take);

/// The whole object of such a file as JSON (`to_json`), settings beside the weights included.
/// @throws Error kBadCheckpoint
std::string read_pth_as_json(const CheckpointFile& file);

}  // namespace qingyin
