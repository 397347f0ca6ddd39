#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace qingyin {

/// Short-time Fourier transform with a periodic Hann window.
/// Frame k is centred on sample k * hop; the signal is continued by zeros on both sides.
/// Frames: 1 + length / hop. Shapes: F frames, B = size / 2 + 1 bins.
class Stft {
 public:
  struct Config {
    int size;  // window and transform length in samples
    int hop;   // samples
    bool operator==(const Config&) const = default;
  };

  explicit Stft(const Config& config);
  ~Stft();

  int bins() const;
  /// Unnormalised spectrum, [F, B] row-major. Calls may overlap.
  std::vector<std::complex<float>> forward(std::span<const float> signal) const;
  /// Least-squares inverse of `spectrum` [F, B], cut to `length` samples.
  std::vector<float> inverse(std::span<const std::complex<float>> spectrum,
                             std::int64_t length) const;

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

}  // namespace qingyin
