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

struct StreamResampler::State {
  soxr_t soxr = nullptr;  // null: both rates are the same
  double ratio = 1;

  ~State() { soxr_delete(soxr); }

  std::vector<float> process(const float* input, std::size_t count) {
    std::vector<float> out,
        part(static_cast<std::size_t>(static_cast<double>(count) * ratio) + 4096);
    std::size_t taken = 0, made = 0;
    do {
      std::size_t used = 0;
      const float* const at = input == nullptr ? nullptr : input + taken;
      const soxr_error_t error =
          soxr_process(soxr, at, count - taken, &used, part.data(), part.size(), &made);
      require(error == nullptr, ErrorCode::kInternal,
              std::string("dsp: soxr failed: ") + (error != nullptr ? soxr_strerror(error) : ""));
      taken += used;
      out.insert(out.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(made));
    } while (taken < count || made == part.size());
    return out;
  }
};

StreamResampler::StreamResampler(int from_hz, int to_hz) : state_(std::make_unique<State>()) {
  require(from_hz > 0 && to_hz > 0, ErrorCode::kInternal, "dsp: resampling needs positive rates");
  if (from_hz == to_hz) return;
  state_->ratio = static_cast<double>(to_hz) / from_hz;
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_runtime_spec_t one_thread = soxr_runtime_spec(1);
  soxr_error_t error = nullptr;
  state_->soxr = soxr_create(from_hz, to_hz, 1, &error, nullptr, &quality, &one_thread);
  require(error == nullptr, ErrorCode::kInternal,
          std::string("dsp: soxr failed: ") + (error != nullptr ? soxr_strerror(error) : ""));
}

StreamResampler::~StreamResampler() = default;

std::vector<float> StreamResampler::push(std::span<const float> mono) {
  if (state_->soxr == nullptr) return {mono.begin(), mono.end()};
  return mono.empty() ? std::vector<float>() : state_->process(mono.data(), mono.size());
}

std::vector<float> StreamResampler::finish() {
  return state_->soxr == nullptr ? std::vector<float>() : state_->process(nullptr, 0);
}

}  // namespace qingyin
