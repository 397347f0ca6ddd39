#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>

#include <cstddef>

#include "audio_gen/mmaudio/alias_free.h"
#include "audio_gen/mmaudio/sound_config.h"
#include "audio_gen/mmaudio/time_conv.h"
#include "models/checkpoint/tensor_io.h"

namespace qingyin::mmaudio {

/// The weights as the network holds them: each pair of weight norm (`NAME.weight_g`,
/// `NAME.weight_v`, or `NAME.parametrizations.weight.original0` and `1`) becomes one
/// `NAME.weight` = g * v / |v|, the norm over all dimensions but the first, in float32.
/// @throws Error  kBadCheckpoint if half of a pair is missing or the shapes do not fit
TensorMap folded_bigvgan_weights(const TensorMap& stored);

/// BigVGAN (Lee et al., 2023): a generator of waveforms from log-mel spectrograms whose
/// activations are free of aliasing. Float32 throughout.
/// Source: NVIDIA/BigVGAN, bigvgan.py; hkchengrex/MMAudio, mmaudio/ext/bigvgan/models.py.
///
/// Keys: conv_pre, ups, resblocks, activation_post, conv_post.
class BigVganImpl : public torch::nn::Module {
 public:
  /// @param options  device of the weights, which are left uninitialised
  /// @throws Error   kInternal if the config has problems
  explicit BigVganImpl(const BigVganConfig& config, const at::TensorOptions& options = at::kFloat);

  /// [B, F, M] log-mel -> [B, F * hop] samples in [-1, 1]
  at::Tensor forward(const at::Tensor& log_mel);

 private:
  std::size_t blocks_per_stage_;
  bool has_tanh_;
  TimeConv conv_pre;
  torch::nn::ModuleList ups, resblocks;
  AliasFreeSnake activation_post{nullptr};
  TimeConv conv_post{nullptr};
};
TORCH_MODULE(BigVgan);

}  // namespace qingyin::mmaudio
