#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace qingyin::mmaudio {

/// How the mel VAEs were shown sound. Source: hkchengrex/MMAudio, mmaudio/ext/mel_converter.py.
struct MelFrontendConfig {
  int sample_rate_hz;
  std::int64_t window;  // samples, a power of two
  std::int64_t hop;     // samples
  std::int64_t bands;   // M
  double low_hz, high_hz;
  bool is_log10;  // otherwise the natural logarithm
};

MelFrontendConfig mel_frontend_16k();
MelFrontendConfig mel_frontend_44k();

/// Triangular filters of equal area on Slaney's mel scale (Slaney, "Auditory Toolbox", 1998):
/// [M, window / 2 + 1], row-major.
std::vector<float> slaney_filterbank(const MelFrontendConfig& config);

/// Log-mel magnitude spectrogram; samples are clamped to [-1, 1] first.
/// @param samples  [B, L], L > (window - hop) / 2
/// @return         [B, F, M], F = L / hop rounded down
/// @throws Error   kInvalidInput if there are too few samples
at::Tensor log_mel(const at::Tensor& samples, const MelFrontendConfig& config);

}  // namespace qingyin::mmaudio
