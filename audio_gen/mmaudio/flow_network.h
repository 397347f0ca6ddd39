#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "audio_gen/mmaudio/flow_blocks.h"
#include "audio_gen/mmaudio/flow_config.h"
#include "audio_gen/mmaudio/flow_ends.h"

namespace qingyin::mmaudio {

/// What the sound should follow, after the layers that do not depend on time: computed once for a
/// window. Shapes: B batch, N latents, Nc pictures, D width.
struct FlowConditions {
  at::Tensor clip;         // [B, Nc, D]
  at::Tensor sync;         // [B, N, D], stretched to the latents
  at::Tensor text;         // [B, 77, D]
  at::Tensor clip_global;  // [B, D]
  at::Tensor text_global;  // [B, D]
  Rotation latent_rotation, clip_rotation;
};

/// The rows of `a`, then those of `b`; both of the same lengths.
FlowConditions joined(const FlowConditions& a, const FlowConditions& b);

/// Lengths of one window's inputs: N latents, Nc pictures, Ns tokens of Synchformer.
struct FlowLengths {
  std::int64_t latents, clip, sync;
};

/// Checkpoint entries that are tables, which are computed here instead.
const std::vector<std::string>& ignored_flow_keys();

/// MMAudio's velocity field from noise (time 0) to latents (time 1): a transformer over latents,
/// pictures and text. Source: hkchengrex/MMAudio, mmaudio/model/networks.py.
///
/// Members without a trailing underscore are checkpoint keys.
class FlowNetworkImpl : public torch::nn::Module {
 public:
  /// @param options  type (float32 or bfloat16) and device of the weights, which are left
  ///                 uninitialised; the time embedding is always float32
  /// @throws Error   kInternal if the config has problems
  explicit FlowNetworkImpl(const FlowConfig& config, const at::TensorOptions& options = at::kFloat);

  const FlowConfig& config() const { return config_; }

  /// @param clip     [B, Nc, clip_size]
  /// @param sync     [B, Ns, sync_size], 8 tokens a segment
  /// @param text     [B, 77, text_size]
  /// @param latents  N
  FlowConditions prepare(const at::Tensor& clip, const at::Tensor& sync, const at::Tensor& text,
                         std::int64_t latents);

  /// The same for a window of which nothing is known.
  /// @param negative_text  [B, 77, text_size] of what is not wanted; none: the stored empty text
  FlowConditions prepare_empty(const FlowLengths& lengths, std::int64_t batch,
                               const at::Tensor& negative_text = {});

  /// The rows of pictures, or of Synchformer, that are seen, and the stored feature of nothing in
  /// place of the others.
  /// @param seen  [T] bool
  /// @param rows  [B, T, clip_size or sync_size]
  at::Tensor clip_where(const at::Tensor& seen, const at::Tensor& rows) const;
  at::Tensor sync_where(const at::Tensor& seen, const at::Tensor& rows) const;

  /// Told of every weight that was loaded, it turns the large ones into 8 bits: those
  /// of the blocks and of every gated MLP.
  std::function<void(const std::string& name)> int8_converter();

  /// @param x     [B, N, C]
  /// @param time  [B] in [0, 1]
  /// @return      [B, N, C] velocity, float32
  at::Tensor forward(const at::Tensor& x, const at::Tensor& time, const FlowConditions& conditions);

  /// The mel VAE's latents of the sampler's: x * latent_std + latent_mean. [B, N, C] -> [B, N, C]
  at::Tensor denormalised(const at::Tensor& x) const;

 private:
  at::Tensor typed(const at::Tensor& x) const;

  FlowConfig config_;
  at::TensorOptions options_;
  at::Tensor sync_pos_emb, latent_mean, latent_std;
  at::Tensor empty_string_feat, empty_clip_feat, empty_sync_feat;
  InputProjection audio_input_proj, clip_input_proj, sync_input_proj, text_input_proj;
  TimeConv clip_cond_proj, text_cond_proj;
  GatedMlp global_cond_mlp;
  TimeEmbedding t_embed;
  torch::nn::ModuleList joint_blocks, fused_blocks;
  FinalLayer final_layer;
};
TORCH_MODULE(FlowNetwork);

}  // namespace qingyin::mmaudio
