#include "core/dsp/resample.h"

#include <soxr.h>

#include <cmath>
#include <string>

#include "core/error.h"

namespace qingyin {

AudioBuffer resample(const AudioBuffer& audio, int sample_rate_hz) {
  require(audio.sample_rate_hz > 0 && sample_rate_hz > 0 && audio.channels > 0,
          ErrorCode::kInternal, "dsp: resampling needs positive rates and a channel");
  if (audio.sample_rate_hz == sample_rate_hz) return audio;

  const auto frames = static_cast<std::size_t>(audio.length());
  const auto wanted = static_cast<std::size_t>(
      std::llround(static_cast<double>(frames) * sample_rate_hz / audio.sample_rate_hz));
  AudioBuffer result{.samples = {}, .sample_rate_hz = sample_rate_hz, .channels = audio.channels};
  result.samples.resize(wanted * static_cast<std::size_t>(audio.channels));
  if (frames == 0 || wanted == 0) return result;

  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
  std::size_t taken = 0, made = 0;
  const soxr_error_t error =
      soxr_oneshot(audio.sample_rate_hz, sample_rate_hz, static_cast<unsigned>(audio.channels),
                   audio.samples.data(), frames, &taken, result.samples.data(), wanted, &made,
                   nullptr, &quality, &one_thread);
  require(error == nullptr, ErrorCode::kInternal,
          std::string("dsp: soxr failed: ") + (error != nullptr ? soxr_strerror(error) : ""));
  return result;
}

}  // namespace qingyin
