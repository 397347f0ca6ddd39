#include "core/dsp/loudness.h"

#include <ebur128.h>

#include <algorithm>
#include <cmath>
#include <limits>

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
  double max_momentary_lufs = -std::numeric_limits<double>::infinity();

  void look() {
    double momentary = 0;
    if (ebur128_loudness_momentary(meter.get(), &momentary) == EBUR128_SUCCESS)
      max_momentary_lufs = std::max(max_momentary_lufs, momentary);
    until_look = step;
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
  state_.reset(
      new State{decltype(State::meter)(meter), static_cast<std::size_t>(channels), step, step});
}

LoudnessMeter::~LoudnessMeter() = default;

void LoudnessMeter::add(std::span<const float> interleaved) {
  State& state = *state_;
  while (!interleaved.empty()) {
    const std::size_t frames = std::min(interleaved.size() / state.channels, state.until_look);
    require(frames > 0, ErrorCode::kInternal, "dsp: the loudness meter got half a sample frame");
    require(
        ebur128_add_frames_float(state.meter.get(), interleaved.data(), frames) == EBUR128_SUCCESS,
        ErrorCode::kInternal, "dsp: the loudness meter failed");
    interleaved = interleaved.subspan(frames * state.channels);
    state.until_look -= frames;
    if (state.until_look == 0) state.look();
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
  double peak = 0;
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
