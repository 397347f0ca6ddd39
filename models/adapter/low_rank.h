#pragma once

#include <filesystem>
#include <string>

#include "models/adapter/adapter.h"
#include "models/checkpoint/tensor_io.h"

namespace qingyin {

/// An adapter with its tensors. A layer NAME of a network PART ("foley", "detector") is changed by
/// the product of PART/NAME.lora_b [out, r] and PART/NAME.lora_a [r, in] (Hu et al., "LoRA", 2021);
/// foley/class_rows [K, D] is added to the rows of the class table, one for each class of the
/// facts.
struct LoadedAdapter {
  AdapterChoice choice;
  AdapterFacts facts;
  TensorMap tensors;  // float32
};

/// @throws Error as `read_adapter_facts`
LoadedAdapter load_adapter(const AdapterChoice& choice);

/// Adds scale times each product to the weight NAME.weight. A scale of 0 changes no bit.
/// @param weights  float32
/// @throws Error   kBadCheckpoint naming what matches no layer, is misshapen or lacks its partner,
///                 and if nothing matches at all
void add_low_rank(TensorMap& weights, const LoadedAdapter& adapter, const std::string& part);

}  // namespace qingyin
