#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/tensor_io.h"
#include "models/layers/placeholder.h"
#include "models/t5/t5_config.h"

namespace qingyin {

/// A checkpoint may hold the embedding a second time; the copy is not read.
inline constexpr std::array<std::string_view, 1> kIgnoredT5Keys{"encoder.embed_tokens.weight"};

/// Which learned bias a distance between two tokens gets (T5, bidirectional): half of the buckets
/// for each direction; in each, one per distance up to a quarter of all, then logarithmically wider
/// ones up to `max_distance`.
/// @param relative  key position - query position, any shape, int64
/// @return          the same shape, 0 .. buckets - 1
at::Tensor relative_position_buckets(const at::Tensor& relative, std::int64_t buckets,
                                     std::int64_t max_distance);

/// Encoder of T5 v1.1 (Raffel et al., 2020; transformers, models/t5/modeling_t5.py). There is no
/// mask: padding is attended to, as the CogVideoX pipelines do. Scores are not divided by sqrt(K).
/// Run it in float32 or bfloat16; float16 overflows.
///
/// Children are the checkpoint's: shared, encoder.block.{i}.layer.{0,1}, encoder.final_layer_norm.
class T5EncoderImpl : public torch::nn::Module {
 public:
  explicit T5EncoderImpl(const T5Config& config);

  /// @param ids  [B, T] int64 below vocab_size
  /// @return     [B, T, D], the last hidden state
  at::Tensor forward(const at::Tensor& ids) const;

  /// The bias that all layers add to their scores: [1, H, T, T].
  at::Tensor position_bias(std::int64_t tokens) const;

  const T5Config& config() const { return config_; }

 private:
  T5Config config_;
  PlainEmbedding shared, relative_attention_bias_;
  std::vector<std::shared_ptr<class T5Block>> blocks_;
  PlainRmsNorm final_layer_norm_;
};
TORCH_MODULE(T5Encoder);

/// `adopt_weights` without the ignored keys.
/// @throws Error kBadCheckpoint naming every tensor that does not fit
void load_t5(T5Encoder& encoder, TensorMap tensors, const at::TensorOptions& wanted,
             const std::string& source);

}  // namespace qingyin
