#include "audio_gen/bundled/representation.h"

#include <algorithm>
#include <cmath>

#include "core/dsp/mel.h"

namespace qingyin::bundled {

double loudest_rms(std::span<const float> mono) {
  constexpr std::size_t kWindow = kSampleRate / 20;
  const std::size_t window = std::min(kWindow, mono.size());
  double sum = 0, best = 0;
  for (std::size_t i = 0; i < mono.size(); ++i) {
    sum += static_cast<double>(mono[i]) * mono[i];
    if (i >= window) sum -= static_cast<double>(mono[i - window]) * mono[i - window];
    best = std::max(best, sum);
  }
  return mono.empty() ? 0 : std::sqrt(best / static_cast<double>(window));
}

double amplitude_of(double dbfs) { return std::pow(10.0, dbfs / 20); }

double dbfs_of(double amplitude) { return 20 * std::log10(std::max(amplitude, 1e-12)); }

std::vector<float> clamped_log_mel(std::span<const float> mono) {
  static const MelSpectrogram mel(bundled_mel());
  std::vector<float> frames = mel(mono);
  frames.resize(mono.size() / kHop * kMelBands);
  for (float& value : frames) value = std::max(value, kQuietestLogMel);
  return frames;
}

}  // namespace qingyin::bundled
