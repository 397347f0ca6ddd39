#include "core/dsp/loudness.h"

#include <ebur128.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/error.h"

namespace qingyin {

struct LoudnessMeter::State {
  struct Destroy {
    void operator()(ebur128_state* used) const { ebur128_destroy(&used); }
  };
  std::unique_ptr<ebur128_state, Destroy> meter;
  std::size_t channels;
  std::size_t step;  // frames between two looks at the momentary loudness: 100 ms
  std::size_t until_look;
  std::size_t hushed = 0;  // frames in a row
  std::size_t owed = 0;    // of them, those that the meter was spared
  float hushed_peak = 0;   // of those, at the samples
  double max_momentary_lufs = -std::numeric_limits<double>::infinity();

  void look() {
    double momentary = 0;
    if (ebur128_loudness_momentary(meter.get(), &momentary) == EBUR128_SUCCESS)
      max_momentary_lufs = std::max(max_momentary_lufs, momentary);
    until_look = step;
  }

  void measure(std::span<const float> interleaved) {
    while (!interleaved.empty()) {
      const std::size_t frames = std::min(interleaved.size() / channels, until_look);
      require(ebur128_add_frames_float(meter.get(), interleaved.data(), frames) == EBUR128_SUCCESS,
              ErrorCode::kInternal, "dsp: the loudness meter failed");
      interleaved = interleaved.subspan(frames * channels);
      until_look -= frames;
      if (until_look == 0) look();
    }
  }

  /// What stays under the absolute gate (-70 LUFS; -80 dBFS on every channel is less) for longer
  /// than any window (3 s) and its step (1 s) changes no figure. Only the remainder of such a pause
  /// is measured, so that the windows of what follows lie where they would.
  void add(std::span<const float> piece) {
    constexpr float kHushed = 1e-4F;
    const std::size_t second = 10 * step, frames = piece.size() / channels;
    const auto [low, high] = std::ranges::minmax(piece);
    if (low >= -kHushed && high <= kHushed) {
      hushed += frames;
      if (hushed > 5 * second) {
        owed += frames;
        hushed_peak = std::max({hushed_peak, -low, high});
        return;
      }
    } else {
      measure(std::vector<float>(std::exchange(owed, 0) % second * channels));
      hushed = 0;
    }
    measure(piece);
  }
};

LoudnessMeter::LoudnessMeter(int sample_rate_hz, int channels) {
  require(sample_rate_hz >= 8000 && channels >= 1, ErrorCode::kInternal,
          "dsp: the loudness meter needs at least 8 kHz and one channel");
  const int mode = EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_TRUE_PEAK;
  ebur128_state* meter = ebur128_init(static_cast<unsigned>(channels),
                                      static_cast<unsigned long>(sample_rate_hz), mode);
  require(meter != nullptr, ErrorCode::kInternal, "dsp: the loudness meter refused its format");
  const auto step = static_cast<std::size_t>(sample_rate_hz / 10);
  state_.reset(new State{.meter = decltype(State::meter)(meter),
                         .channels = static_cast<std::size_t>(channels),
                         .step = step,
                         .until_look = step});
}

LoudnessMeter::~LoudnessMeter() = default;

void LoudnessMeter::add(std::span<const float> interleaved) {
  State& state = *state_;
  require(interleaved.size() % state.channels == 0, ErrorCode::kInternal,
          "dsp: the loudness meter got half a sample frame");
  while (!interleaved.empty()) {
    const auto piece = interleaved.first(std::min(interleaved.size(), state.step * state.channels));
    state.add(piece);
    interleaved = interleaved.subspan(piece.size());
  }
}

LoudnessFigures LoudnessMeter::figures() const {
  ebur128_state* meter = state_->meter.get();
  LoudnessFigures figures{.integrated_lufs = -std::numeric_limits<double>::infinity(),
                          .max_momentary_lufs = state_->max_momentary_lufs,
                          .range_lu = 0,
                          .true_peak_dbtp = 0};
  bool is_ok = ebur128_loudness_global(meter, &figures.integrated_lufs) == EBUR128_SUCCESS &&
               ebur128_loudness_range(meter, &figures.range_lu) == EBUR128_SUCCESS;
  double peak = state_->hushed_peak;
  for (unsigned channel = 0; channel < meter->channels; ++channel) {
    double of_channel = 0;
    is_ok = is_ok && ebur128_true_peak(meter, channel, &of_channel) == EBUR128_SUCCESS;
    peak = std::max(peak, of_channel);
  }
  require(is_ok, ErrorCode::kInternal, "dsp: the loudness meter failed");
  figures.true_peak_dbtp = 20 * std::log10(peak);  // -infinity for silence
  return figures;
}

}  // namespace qingyin
