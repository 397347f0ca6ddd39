#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace qingyin {

struct VocoderConfig {
  std::int64_t mel_bands = 100;      // M
  std::int64_t noise_channels = 16;  // N, random numbers per frame that make details
  std::int64_t dim = 256;
  std::int64_t hidden = 768;
  std::int64_t blocks = 8;
  std::int64_t kernel = 7;             // odd
  std::int64_t consistency_steps = 8;  // corrections towards the wanted mel
};

/// The vocoder whose weights are bundled: 4.1 M parameters.
VocoderConfig bundled_vocoder();

/// A config as metadata of its weights, and back. @throws Error kBadCheckpoint naming what is
/// missing
std::map<std::string, std::string> to_metadata(const VocoderConfig& config);
VocoderConfig vocoder_of(const std::map<std::string, std::string>& metadata,
                         const std::string& file);

/// Every rule that the config breaks, each naming the field; empty means valid.
std::vector<std::string> problems(const VocoderConfig& config);

/// Log-mel spectrogram (`bundled_mel()`: 48 kHz, Hann 1920, hop 480) to sound. ConvNeXt blocks over
/// frames predict, as in Vocos (Siuzdak, 2023), one spectrum per frame for an inverse STFT; beside
/// the tonal part, a magnitude for a spectrum with the phases of given white noise. Magnitudes are
/// corrections of the mel spectrum interpolated to bins.
///
/// Overlapping windows never agree on such spectra, so the sound's mel is not yet the wanted one.
/// As in the iteration of Griffin and Lim (1984), but for the mel alone, the spectrum is taken
/// again from the sound, and each bin is moved by the log-mel's error there, somewhat further than
/// needed.
///
/// Members without a trailing underscore are checkpoint keys: input, input_norm, blocks, norm,
/// output. Shapes: B batch, T frames, M mel bands, N noise channels, L samples, hop 480.
class VocoderImpl : public torch::nn::Module {
 public:
  explicit VocoderImpl(const VocoderConfig& config = bundled_vocoder());

  /// Frames of context on each side that can change a frame's spectrum.
  std::int64_t context_frames() const;

  /// @param log_mel  [B, T, M] natural log
  /// @param detail   [B, T, N] standard normal
  /// @param white    [B, (T + 3) * 480] standard normal, its first sample 960 before frame 0
  /// @return         [B, (T + 3) * 480] at the same place. The samples from the centre of frame 1
  ///                 to that of frame T - 2 are complete; those outside lack neighbours' parts.
  at::Tensor forward(const at::Tensor& log_mel, const at::Tensor& detail, const at::Tensor& white);

 private:
  at::Tensor spectrum(const at::Tensor& log_mel, const at::Tensor& detail,
                      const at::Tensor& white_spectrum);
  /// Both spectra [B, T, bins].
  at::Tensor corrected(const at::Tensor& spectrum, const at::Tensor& log_mel);
  at::Tensor to_bins(const at::Tensor& bands);

  VocoderConfig config_;
  at::Tensor filters_;     // [bins, M]
  at::Tensor band_below_;  // [bins] the band whose centre lies at or below a bin
  at::Tensor share_;       // [bins] of the next band in a bin's log magnitude
  at::Tensor band_gain_;   // [M] log of the filters' sums
  at::Tensor window_;      // [1920]
  torch::nn::Linear input;
  torch::nn::LayerNorm input_norm;
  torch::nn::ModuleList blocks;
  torch::nn::LayerNorm norm;
  torch::nn::Linear output;
};
TORCH_MODULE(Vocoder);

}  // namespace qingyin
