#pragma once

#include <map>
#include <string>
#include <vector>

#include "audio_gen/bundled/flow_transformer.h"
#include "models/adapter/low_rank.h"

namespace qingyin::bundled {

/// The flow transformer under adapters. An adapter acts on the classes that it names and on no
/// other: the rest goes through the base weights, bit for bit.
class AdaptedFlow {
 public:
  /// @param base         the weights, config and SHA-256 of foley.safetensors
  /// @param name         of that file, for messages
  /// @throws Error       kBadCheckpoint as `require_base` and `add_low_rank`, and if an adapter
  ///                     names a class that it cannot; kUsage if two bring a class of one name
  AdaptedFlow(const TensorMap& base, const FlowTransformerConfig& config,
              const std::string& base_sha256, const std::vector<LoadedAdapter>& adapters);

  /// New classes, in the order of their ids.
  const std::vector<AdapterClass>& new_classes() const { return new_classes_; }

  /// The network for a class, and the class's row there; none if no adapter names it.
  struct Choice {
    FlowTransformer flow;
    std::int64_t row;
  };
  const Choice* find(int class_id) const;

 private:
  std::vector<AdapterClass> new_classes_;
  std::map<int, Choice> choices_;
};

}  // namespace qingyin::bundled
