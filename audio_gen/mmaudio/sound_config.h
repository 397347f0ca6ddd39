#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Sizes of the networks that turn latents into sound. No torch.
namespace qingyin::mmaudio {

/// Source: hkchengrex/MMAudio, mmaudio/ext/autoencoder/vae.py.
struct MelVaeConfig {
  std::int64_t bands = 128;  // M
  std::int64_t latents = 40;
  std::int64_t hidden = 512;
  std::vector<std::int64_t> multiples{1, 2, 4};  // of hidden: channels of each level
  std::int64_t blocks = 2;                       // a level of the encoder; one more in the decoder
};

MelVaeConfig vae_16k();
MelVaeConfig vae_44k();

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const MelVaeConfig& config);

/// Source: NVIDIA/BigVGAN, bigvgan.py.
struct BigVganConfig {
  std::int64_t bands = 128;      // M
  std::int64_t channels = 1536;  // before the first stage; each stage halves them
  std::vector<std::int64_t> upsample_rates{8, 4, 2, 2, 2, 2};
  std::vector<std::int64_t> upsample_kernels{16, 8, 4, 4, 4, 4};
  std::vector<std::int64_t> block_kernels{3, 7, 11};  // a stage is the mean of one block of each
  std::vector<std::vector<std::int64_t>> block_dilations{{1, 3, 5}, {1, 3, 5}, {1, 3, 5}};
  bool has_final_bias = false;
  bool has_tanh = false;  // at the end; otherwise samples are clamped to [-1, 1]
};

/// BigVGAN v1 of 16 kHz (`best_netG.pt`) and v2 of 44.1 kHz (`bigvgan_generator.pt`).
BigVganConfig bigvgan_16k();
BigVganConfig bigvgan_44k();

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const BigVganConfig& config);

/// Samples that one mel frame lasts.
std::int64_t hop_of(const BigVganConfig& config);

}  // namespace qingyin::mmaudio
