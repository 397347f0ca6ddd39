#pragma once

#include <ATen/core/ScalarType.h>

#include <array>
#include <cstddef>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "models/checkpoint/tensor_io.h"
#include "video_gen/lora.h"
#include "video_gen/pipeline_denoiser.h"
#include "video_gen/transformer.h"

namespace qingyin {

enum class BlockParts {
  kAll,
  kWithoutModulations,  // all but the norms' linear maps, whose work is done
};

/// The blocks of a stored transformer, given to networks one at a time, with what LoRAs change in
/// them. Their tensors lie in the mapped file until then.
class BlockSource {
 public:
  /// @throws Error kModelMissing, kBadCheckpoint
  BlockSource(TensorMap tensors, const DenoiserWish& wish, std::string source);

  std::size_t size() const { return blocks_.size(); }

  /// Gives a network all but its blocks.
  /// @return  each LoRA with what fits the whole network
  /// @throws Error  kBadCheckpoint if the tensors do not fit, or a LoRA is of another model
  std::vector<std::pair<const Lora*, LoraReport>> load_rest(CogTransformer network);

  /// Gives a block the weights of block i.
  void load(CogBlock block, std::size_t i, BlockParts parts) const;

  /// Lets go the tensors of block i: it will not be asked for again.
  void let_go(std::size_t i) { blocks_[i].clear(); }

 private:
  struct ScaledLora {
    Lora all;
    double factor;
    // What it changes in each block, by the block's own names: all, and without modulations.
    std::vector<std::array<Lora, 2>> of_blocks = {};
  };

  TensorMap rest_;
  std::vector<TensorMap> blocks_;
  std::list<ScaledLora> loras_;
  at::ScalarType dtype_;
  std::string source_;
};

}  // namespace qingyin
