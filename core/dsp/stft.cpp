#include "core/dsp/stft.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/dsp/fft.h"
#include "core/error.h"

namespace qingyin {

struct Stft::Plan {
  Config config;
  Fft fft;
  std::vector<float> window;
};

namespace {

std::vector<float> periodic_hann(int size) {
  std::vector<float> window(static_cast<std::size_t>(size));
  for (int n = 0; n < size; ++n)
    window[static_cast<std::size_t>(n)] =
        static_cast<float>(0.5 - 0.5 * std::cos(2 * std::numbers::pi * n / size));
  return window;
}

}  // namespace

Stft::Stft(const Config& config) {
  require(config.size >= 2 && config.hop >= 1, ErrorCode::kInternal,
          "dsp: an STFT has a window of at least 2 samples and a hop of at least 1");
  plan_.reset(new Plan{config, Fft(config.size), periodic_hann(config.size)});
}

Stft::~Stft() = default;

int Stft::bins() const { return plan_->config.size / 2 + 1; }

std::vector<std::complex<float>> Stft::forward(std::span<const float> signal) const {
  const std::int64_t size = plan_->config.size, hop = plan_->config.hop;
  const auto length = static_cast<std::int64_t>(signal.size());
  const std::int64_t frames = 1 + length / hop;
  std::vector<std::complex<float>> result(static_cast<std::size_t>(frames * bins()));

  Fft::Workspace workspace(plan_->config.size);
  const auto frame = workspace.signal();
  for (std::int64_t k = 0; k < frames; ++k) {
    const std::int64_t start = k * hop - size / 2;
    const std::int64_t first = std::clamp<std::int64_t>(-start, 0, size);
    const std::int64_t last = std::clamp<std::int64_t>(length - start, first, size);
    std::ranges::fill(frame, 0.0F);
    for (std::int64_t n = first; n < last; ++n)
      frame[static_cast<std::size_t>(n)] =
          signal[static_cast<std::size_t>(start + n)] * plan_->window[static_cast<std::size_t>(n)];
    plan_->fft.forward(workspace);
    std::ranges::copy(workspace.spectrum(), result.begin() + k * bins());
  }
  return result;
}

std::vector<float> Stft::inverse(std::span<const std::complex<float>> spectrum,
                                 std::int64_t length) const {
  const std::int64_t size = plan_->config.size, hop = plan_->config.hop;
  const auto count = static_cast<std::int64_t>(spectrum.size());
  require(count % bins() == 0 && length >= 0, ErrorCode::kInternal,
          "dsp: the inverse STFT takes whole frames and a length of at least 0");
  std::vector<double> sum(static_cast<std::size_t>(length)), weight(sum.size());

  Fft::Workspace workspace(plan_->config.size);
  for (std::int64_t k = 0; k < count / bins(); ++k) {
    const auto frame =
        spectrum.subspan(static_cast<std::size_t>(k * bins()), static_cast<std::size_t>(bins()));
    std::ranges::copy(frame, workspace.spectrum().begin());
    plan_->fft.inverse(workspace);
    const std::int64_t start = k * hop - size / 2;
    const std::int64_t last = std::min(size, length - start);
    for (std::int64_t n = std::max<std::int64_t>(0, -start); n < last; ++n) {
      const double window = plan_->window[static_cast<std::size_t>(n)];
      const auto at = static_cast<std::size_t>(start + n);
      sum[at] += window * workspace.signal()[static_cast<std::size_t>(n)] / double(size);
      weight[at] += window * window;
    }
  }
  std::vector<float> signal(sum.size());
  for (std::size_t n = 0; n < sum.size(); ++n)
    signal[n] = weight[n] > 1e-9 ? static_cast<float>(sum[n] / weight[n]) : 0.0F;
  return signal;
}

}  // namespace qingyin
