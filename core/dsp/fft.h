#pragma once

#include <complex>
#include <memory>
#include <span>

namespace qingyin {

/// Real fast Fourier transform of one length: the only door to the FFT library (FFTW here).
/// Both directions are unnormalised: inverse(forward(x)) is size * x. B = size / 2 + 1 bins.
class Fft {
 public:
  /// Where one caller's transforms happen. Aligned for the library; not shared between threads.
  class Workspace {
   public:
    explicit Workspace(int size);
    ~Workspace();
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;

    std::span<float> signal() { return {signal_, static_cast<std::size_t>(size_)}; }
    std::span<std::complex<float>> spectrum() {
      return {spectrum_, static_cast<std::size_t>(size_ / 2 + 1)};
    }

   private:
    int size_;
    float* signal_;
    std::complex<float>* spectrum_;
  };

  /// @throws Error kInternal if size < 2
  explicit Fft(int size);
  ~Fft();
  Fft(const Fft&) = delete;
  Fft& operator=(const Fft&) = delete;

  int size() const;
  /// signal -> spectrum. The signal stays. Calls with different workspaces may overlap.
  void forward(Workspace& workspace) const;
  /// spectrum -> signal. The spectrum is used up.
  void inverse(Workspace& workspace) const;

 private:
  struct Plans;
  std::unique_ptr<Plans> plans_;
};

}  // namespace qingyin
