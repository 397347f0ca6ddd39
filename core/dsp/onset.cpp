#include "core/dsp/onset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "core/dsp/fft.h"
#include "core/dsp/resample.h"
#include "core/error.h"

namespace qingyin {
namespace {

constexpr int kRateHz = 32000;
constexpr int kWindow = 1024;  // 32 ms
constexpr int kHop = 160;      // 5 ms
constexpr int kLag = 3;        // frames
constexpr int kBands = 32;
constexpr double kLowHz = 80, kHighHz = 14000;
constexpr float kRangeDb = 55;        // below the loudest band of the sound
constexpr int kLocalFrames = 6;       // 30 ms
constexpr int kMedianFrames = 80;     // 0.4 s
constexpr float kSilence = 1e-4F;     // -80 dBFS
constexpr int kStep = kRateHz / 500;  // 2 ms, of the peak envelope
constexpr double kFoot = 0.15;
constexpr int kAttackSteps = 25;  // 50 ms

using Levels = std::vector<std::array<float, kBands>>;

float peak_of(std::span<const float> signal) {
  float peak = 0;
  for (const float sample : signal) peak = std::max(peak, std::abs(sample));
  return peak;
}

/// The band of every bin, mel-spaced; -1 outside of all.
std::vector<int> band_of_bins() {
  const auto mel = [](double hz) { return 2595 * std::log10(1 + hz / 700); };
  std::vector<int> bands;
  for (int b = 0; b <= kWindow / 2; ++b) {
    const double hz = static_cast<double>(b) * kRateHz / kWindow;
    const double place = (mel(hz) - mel(kLowHz)) / (mel(kHighHz) - mel(kLowHz)) * kBands;
    bands.push_back(place >= 0 && place < kBands ? static_cast<int>(place) : -1);
  }
  return bands;
}

/// The frame centred on `centre`; before 0 the signal is mirrored, so that a sound already on at 0
/// does not rise; past the end it is silent.
void load_frame(std::span<const float> x, std::int64_t centre, std::span<float> frame) {
  const auto length = static_cast<std::int64_t>(x.size());
  for (int n = 0; n < kWindow; ++n) {
    const std::int64_t at = std::abs(centre - kWindow / 2 + n);
    const double window = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * n / (kWindow - 1));
    frame[static_cast<std::size_t>(n)] =
        at < length ? x[static_cast<std::size_t>(at)] * static_cast<float>(window) : 0.0F;
  }
}

/// Band levels in dB per 5 ms.
Levels band_levels(std::span<const float> x) {
  const std::vector<int> bands = band_of_bins();
  const Fft fft(kWindow);
  Fft::Workspace workspace(kWindow);
  Levels levels(x.size() / kHop + 1);
  float loudest = -1000;
  for (std::size_t k = 0; k < levels.size(); ++k) {
    load_frame(x, static_cast<std::int64_t>(k) * kHop, workspace.signal());
    fft.forward(workspace);
    std::array<double, kBands> power{};
    for (std::size_t b = 0; b < bands.size(); ++b)
      if (bands[b] >= 0)
        power[static_cast<std::size_t>(bands[b])] += std::norm(workspace.spectrum()[b]);
    for (std::size_t m = 0; m < kBands; ++m) {
      levels[k][m] = static_cast<float>(10 * std::log10(std::max(power[m], 1e-12)));
      loudest = std::max(loudest, levels[k][m]);
    }
  }
  for (auto& frame : levels)
    for (float& level : frame) level = std::max(level, loudest - kRangeDb);
  return levels;
}

/// Mean rise of the bands over `kLag` frames, against the band and its neighbours, so that vibrato
/// and slides do not count.
std::vector<float> flux_of(const Levels& levels) {
  std::vector<float> flux(levels.size());
  for (std::size_t k = kLag; k < levels.size(); ++k) {
    const auto& before = levels[k - kLag];
    float sum = 0;
    for (std::size_t m = 0; m < kBands; ++m) {
      float reference = before[m];
      if (m > 0) reference = std::max(reference, before[m - 1]);
      if (m + 1 < kBands) reference = std::max(reference, before[m + 1]);
      sum += std::max(0.0F, levels[k][m] - reference);
    }
    flux[k] = sum / kBands;
  }
  return flux;
}

/// Median of flux over +-0.4 s; past the ends the flux is mirrored, or held where it is too short.
float median_around(const std::vector<float>& flux, std::int64_t k, std::vector<float>& scratch) {
  const auto last = static_cast<std::int64_t>(flux.size()) - 1;
  scratch.clear();
  for (std::int64_t i = k - kMedianFrames; i <= k + kMedianFrames; ++i) {
    std::int64_t at = i;
    if (last >= kMedianFrames) {
      at = std::abs(at);
      if (at > last) at = 2 * last - at;
    }
    scratch.push_back(flux[static_cast<std::size_t>(std::clamp<std::int64_t>(at, 0, last))]);
  }
  const auto middle = scratch.begin() + kMedianFrames;
  std::nth_element(scratch.begin(), middle, scratch.end());
  return *middle;
}

/// Frames of the flux peaks, in order of time.
std::vector<std::int64_t> pick_peaks(const std::vector<float>& flux,
                                     const OnsetSettings& settings) {
  const auto count = static_cast<std::int64_t>(flux.size());
  const auto value = [&](std::int64_t k) { return flux[static_cast<std::size_t>(k)]; };
  std::vector<std::int64_t> candidates, chosen;
  std::vector<float> scratch;
  for (std::int64_t k = 0; k < count; ++k) {
    // Nothing stands above a median that is at least 0 by less than the threshold itself.
    if (value(k) <= settings.threshold_db) continue;
    const auto first = flux.begin() + std::max<std::int64_t>(0, k - kLocalFrames);
    const auto last = flux.begin() + std::min(count, k + kLocalFrames + 1);
    if (value(k) < *std::max_element(first, last)) continue;
    if (value(k) > median_around(flux, k, scratch) + settings.threshold_db) candidates.push_back(k);
  }
  std::ranges::stable_sort(candidates, [&](auto a, auto b) { return value(a) > value(b); });
  for (const std::int64_t k : candidates) {
    const bool is_free = std::ranges::all_of(chosen, [&](std::int64_t other) {
      return std::abs(k - other) * kHop >= settings.min_gap.count() * kRateHz;
    });
    if (is_free) chosen.push_back(k);
  }
  std::ranges::sort(chosen);
  return chosen;
}

/// Peak magnitudes of consecutive runs of `step` samples.
std::vector<float> envelope_of(std::span<const float> x, std::size_t step) {
  std::vector<float> envelope;
  for (std::size_t at = 0; at + step <= x.size(); at += step)
    envelope.push_back(peak_of(x.subspan(at, step)));
  return envelope;
}

/// First step of the rise to `top`: all from it to the top reach `level`; not before `first`.
std::int64_t foot_of(const std::vector<float>& envelope, std::int64_t top, std::int64_t first,
                     double level) {
  while (top > first && envelope[static_cast<std::size_t>(top - 1)] >= level) --top;
  return top;
}

}  // namespace

std::vector<Seconds> find_onsets(std::span<const float> mono, int sample_rate_hz,
                                 const OnsetSettings& settings) {
  require(sample_rate_hz > 0, ErrorCode::kInternal, "dsp: onsets need a positive sample rate");
  const AudioBuffer resampled = resample(
      {.samples = {mono.begin(), mono.end()}, .sample_rate_hz = sample_rate_hz, .channels = 1},
      kRateHz);
  const std::span<const float> x = resampled.samples;
  if (x.size() < 2 * kWindow || peak_of(x) < kSilence) return {};

  const std::vector<float> envelope = envelope_of(x, kStep);
  std::vector<Seconds> onsets;
  for (const std::int64_t frame : pick_peaks(flux_of(band_levels(x)), settings)) {
    const std::int64_t step = frame * kHop / kStep;
    const std::int64_t first = std::max<std::int64_t>(0, step - 10);
    const std::int64_t last = std::min<std::int64_t>(std::ssize(envelope), step + 26);
    if (last <= first) continue;
    const auto top = std::max_element(envelope.begin() + first, envelope.begin() + last);
    const std::int64_t reach = std::max<std::int64_t>(0, top - envelope.begin() - 30);
    const float floor = *std::min_element(envelope.begin() + reach, top + 1);
    const std::int64_t foot =
        foot_of(envelope, top - envelope.begin(), reach, floor + kFoot * (*top - floor));
    const Seconds time(static_cast<double>(foot * kStep) / kRateHz);
    if (onsets.empty() || time - onsets.back() >= 0.5 * settings.min_gap) onsets.push_back(time);
  }
  return onsets;
}

std::optional<Seconds> sound_start(std::span<const float> mono, int sample_rate_hz,
                                   double fraction) {
  require(sample_rate_hz >= 1000, ErrorCode::kInternal, "dsp: a sound start needs 1 kHz or more");
  const auto step = static_cast<std::size_t>(sample_rate_hz / 500);
  const float peak = peak_of(mono);
  if (peak < kSilence) return std::nullopt;
  std::vector<float> envelope = envelope_of(mono, step);
  envelope.push_back(peak_of(mono.subspan(envelope.size() * step)));

  // The attack ends at the highest point within 50 ms of first reaching half of the loudest.
  const auto half = std::ranges::find_if(envelope, [&](float e) { return e >= 0.5F * peak; });
  const auto end = half + std::min<std::int64_t>(envelope.end() - half, kAttackSteps);
  const auto top = std::max_element(half, end) - envelope.begin();
  const auto level = static_cast<float>(fraction * envelope[static_cast<std::size_t>(top)]);
  const std::int64_t foot = foot_of(envelope, top, 0, level);

  // Inside that step the first sample that is loud enough.
  auto at = static_cast<std::size_t>(foot) * step;
  const std::size_t last = std::min(mono.size(), at + step);
  while (at + 1 < last && std::abs(mono[at]) < level) ++at;
  return Seconds(static_cast<double>(at) / sample_rate_hz);
}

}  // namespace qingyin
