#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <cstdint>
#include <vector>

namespace qingyin::training {

/// Small networks that tell true sound from a vocoder's, each by the log magnitudes of one STFT
/// resolution: what the vocoder's finish is trained against (Jang et al., "UnivNet", 2021;
/// Siuzdak, "Vocos", 2023).
class Discriminator : public torch::nn::Module {
 public:
  Discriminator();

  struct Opinion {
    std::vector<at::Tensor> scores;    // one per resolution: above 0 is true
    std::vector<at::Tensor> features;  // of the layers before
  };
  /// @param sound  [B, L]
  Opinion forward(const at::Tensor& sound);

 private:
  struct Layer {
    at::Tensor weight, bias;
    std::int64_t stride;
  };
  std::vector<std::vector<Layer>> networks_;  // one per resolution
};

/// Hinge losses (Lim & Ye, "Geometric GAN", 2017), means over resolutions.
at::Tensor discriminator_loss(const Discriminator::Opinion& of_true,
                              const Discriminator::Opinion& of_made);
at::Tensor deception_loss(const Discriminator::Opinion& of_made);
/// Relative L1 between features (Kumar et al., "MelGAN", 2019).
at::Tensor feature_loss(const Discriminator::Opinion& of_true,
                        const Discriminator::Opinion& of_made);

}  // namespace qingyin::training
