#include "core/dsp/fft.h"

#include <fftw3.h>

#include <mutex>
#include <new>

#include "core/error.h"

namespace qingyin {
namespace {

// FFTW's planner is not thread-safe; only execution is.
std::mutex& planner_mutex() {
  static std::mutex mutex;
  return mutex;
}

fftwf_complex* as_fftw(std::span<std::complex<float>> spectrum) {
  return reinterpret_cast<fftwf_complex*>(spectrum.data());
}

}  // namespace

Fft::Workspace::Workspace(int size)
    : size_(size),
      signal_(fftwf_alloc_real(static_cast<std::size_t>(size))),
      spectrum_(reinterpret_cast<std::complex<float>*>(
          fftwf_alloc_complex(static_cast<std::size_t>(size / 2 + 1)))) {
  if (signal_ != nullptr && spectrum_ != nullptr) return;
  fftwf_free(signal_);
  fftwf_free(spectrum_);
  throw std::bad_alloc();
}

Fft::Workspace::~Workspace() {
  fftwf_free(signal_);
  fftwf_free(spectrum_);
}

struct Fft::Plans {
  int size;
  fftwf_plan forward = nullptr;
  fftwf_plan inverse = nullptr;
};

Fft::Fft(int size) : plans_(std::make_unique<Plans>()) {
  require(size >= 2, ErrorCode::kInternal, "dsp: a Fourier transform has at least 2 samples");
  plans_->size = size;
  Workspace workspace(size);
  const std::scoped_lock lock(planner_mutex());
  // Estimated plans are the same in every run, so results are too.
  plans_->forward = fftwf_plan_dft_r2c_1d(size, workspace.signal().data(),
                                          as_fftw(workspace.spectrum()), FFTW_ESTIMATE);
  plans_->inverse = fftwf_plan_dft_c2r_1d(size, as_fftw(workspace.spectrum()),
                                          workspace.signal().data(), FFTW_ESTIMATE);
}

Fft::~Fft() {
  const std::scoped_lock lock(planner_mutex());
  fftwf_destroy_plan(plans_->forward);
  fftwf_destroy_plan(plans_->inverse);
}

int Fft::size() const { return plans_->size; }

void Fft::forward(Workspace& workspace) const {
  fftwf_execute_dft_r2c(plans_->forward, workspace.signal().data(), as_fftw(workspace.spectrum()));
}

void Fft::inverse(Workspace& workspace) const {
  fftwf_execute_dft_c2r(plans_->inverse, as_fftw(workspace.spectrum()), workspace.signal().data());
}

}  // namespace qingyin
