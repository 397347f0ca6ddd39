#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <memory>

#include "audio_gen/mmaudio/sound_config.h"
#include "models/checkpoint/tensor_io.h"

namespace qingyin::mmaudio {

/// Which halves of a VAE are built: a render needs the decoder alone.
struct VaeParts {
  bool has_encoder = false;
  bool has_decoder = true;
};

/// The weights as the network holds them. Stored ones are raw: every convolution is divided by its
/// outputs' magnitude and by sqrt(fan in), in float32 (EDM2, equations 47 and 66), and the last one
/// of each half multiplied by 1 + its gain, which goes.
/// @throws Error  kBadCheckpoint if a half lacks one of gain and last convolution
TensorMap normalised_vae_weights(const TensorMap& stored);

/// The entries of the halves that `parts` leaves out go.
TensorMap weights_of_parts(TensorMap stored, const VaeParts& parts);

class MelEncoderImpl;
class MelDecoderImpl;

/// MMAudio's mel VAE: one latent for two frames of a log-mel spectrogram. Float32 throughout.
/// Source of shapes and order: hkchengrex/MMAudio, mmaudio/ext/autoencoder/{vae,vae_modules}.py.
///
/// Keys: data_mean, data_std, encoder, decoder.
class MelVaeImpl : public torch::nn::Module {
 public:
  /// @param options  device of the weights, which are left uninitialised
  /// @throws Error   kInternal if the config has problems
  MelVaeImpl(const MelVaeConfig& config, const VaeParts& parts,
             const at::TensorOptions& options = at::kFloat);

  struct Encoded {
    at::Tensor mean, log_variance;  // [B, N, C]
  };

  /// @param log_mel  [B, F, M]; an odd last frame is dropped
  Encoded encode(const at::Tensor& log_mel);

  /// @param latents  [B, N, C]
  /// @return         [B, 2 N, M] log-mel
  at::Tensor decode(const at::Tensor& latents);

 private:
  at::Tensor data_mean, data_std;
  std::shared_ptr<MelEncoderImpl> encoder;
  std::shared_ptr<MelDecoderImpl> decoder;
};
TORCH_MODULE(MelVae);

}  // namespace qingyin::mmaudio
