#include "audio_gen/mmaudio/mel_frontend.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "core/error.h"

namespace qingyin::mmaudio {
namespace {

constexpr double kPowerFloor = 1e-9, kMelFloor = 1e-5;
// Slaney's scale: linear up to 1 kHz, 27 steps for each factor of 6.4 above.
constexpr double kHzPerLinearStep = 200.0 / 3, kBendHz = 1000, kStepsPerOctaves = 27,
                 kOctaves = 6.4;

double mel_of(double hz) {
  if (hz < kBendHz) return hz / kHzPerLinearStep;
  return kBendHz / kHzPerLinearStep +
         std::log(hz / kBendHz) * kStepsPerOctaves / std::log(kOctaves);
}

double hz_of(double mel) {
  const double bend = kBendHz / kHzPerLinearStep;
  if (mel < bend) return mel * kHzPerLinearStep;
  return kBendHz * std::exp((mel - bend) * std::log(kOctaves) / kStepsPerOctaves);
}

/// Corners of the triangles: [M + 2] Hz.
std::vector<double> corners(const MelFrontendConfig& c) {
  const double low = mel_of(c.low_hz), high = mel_of(c.high_hz);
  std::vector<double> hz;
  for (std::int64_t i = 0; i < c.bands + 2; ++i)
    hz.push_back(
        hz_of(low + (high - low) * static_cast<double>(i) / static_cast<double>(c.bands + 1)));
  return hz;
}

}  // namespace

MelFrontendConfig mel_frontend_16k() {
  return {.sample_rate_hz = 16000,
          .window = 1024,
          .hop = 256,
          .bands = 80,
          .low_hz = 0,
          .high_hz = 8000,
          .is_log10 = true};
}

MelFrontendConfig mel_frontend_44k() {
  return {.sample_rate_hz = 44100,
          .window = 2048,
          .hop = 512,
          .bands = 128,
          .low_hz = 0,
          .high_hz = 22050,
          .is_log10 = false};
}

std::vector<float> slaney_filterbank(const MelFrontendConfig& c) {
  const std::vector<double> hz = corners(c);
  const double bin_hz = static_cast<double>(c.sample_rate_hz) / static_cast<double>(c.window);
  std::vector<float> filters;
  for (std::size_t m = 0; m + 2 < hz.size(); ++m) {
    const double area = 2 / (hz[m + 2] - hz[m]);
    for (std::int64_t bin = 0; bin <= c.window / 2; ++bin) {
      const double f = bin_hz * static_cast<double>(bin);
      const double rising = (f - hz[m]) / (hz[m + 1] - hz[m]);
      const double falling = (hz[m + 2] - f) / (hz[m + 2] - hz[m + 1]);
      filters.push_back(static_cast<float>(std::max(0.0, std::min(rising, falling)) * area));
    }
  }
  return filters;
}

at::Tensor log_mel(const at::Tensor& samples, const MelFrontendConfig& c) {
  const std::int64_t side = (c.window - c.hop) / 2;
  require(samples.size(-1) > side, ErrorCode::kInvalidInput,
          "mel spectrogram: " + std::to_string(samples.size(-1)) + " samples, expected more than " +
              std::to_string(side));
  const std::array<std::int64_t, 2> padding{side, side};
  const at::Tensor padded =
      at::reflection_pad1d(samples.to(at::kFloat).clamp(-1, 1).unsqueeze(1), padding).squeeze(1);
  const at::Tensor frames = padded.unfold(1, c.window, c.hop);  // [B, F, window]
  const at::Tensor spectrum =
      at::view_as_real(at::fft_rfft(frames * at::hann_window(c.window, at::kFloat)));
  const at::Tensor magnitude = (spectrum.square().sum(-1) + kPowerFloor).sqrt();
  const at::Tensor filters =
      at::tensor(slaney_filterbank(c)).view({c.bands, -1});  // [M, window / 2 + 1]
  const at::Tensor mel = at::matmul(magnitude, filters.t()).clamp_min(kMelFloor);
  return c.is_log10 ? mel.log10() : mel.log();
}

}  // namespace qingyin::mmaudio
