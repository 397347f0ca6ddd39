#pragma once

#include <string>

#include "models/checkpoint/pickle.h"

namespace qingyin {

/// The whole object as JSON: the settings that some checkpoints keep beside their weights.
/// Tensors are {"$tensor": name}, numpy scalars {"$numpy": dtype, "value": v}, bytes
/// {"$bytes": hex}, infinities and NaN {"$float": text}, torch.Size and dtypes {"$opaque": name};
/// tuples are arrays, integer keys are decimal strings.
/// @param object  one whose tensors `named_tensors` could name
std::string to_json(const PickledObject& object);

}  // namespace qingyin
