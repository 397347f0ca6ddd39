#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace qingyin {

struct MelConfig {
  int sample_rate_hz;
  int size;   // STFT window in samples
  int hop;    // samples
  int bands;  // M
  double low_hz, high_hz;
  double floor;  // added nothing below: log(max(mel, floor))

  bool operator==(const MelConfig&) const = default;
};

/// 48 kHz, Hann 1920, hop 480 (10 ms), 100 bands 20 Hz to 24 kHz, floor 1e-5: the bundled models'.
MelConfig bundled_mel();

/// Triangular filters, Slaney area normalisation off (peak 1), HTK mel scale: [M, B] row-major.
std::vector<float> mel_filterbank(const MelConfig& config);

/// Natural log of the mel magnitude spectrogram. Result [F, M], F = 1 + length / hop, frame k
/// centred on sample k * hop.
class MelSpectrogram {
 public:
  explicit MelSpectrogram(const MelConfig& config);
  ~MelSpectrogram();
  std::vector<float> operator()(std::span<const float> signal) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qingyin
