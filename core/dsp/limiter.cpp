#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <deque>
#include <numbers>

#include "core/dsp/loudness.h"
#include "core/error.h"

namespace qingyin {
namespace {

constexpr int kPhases = 4;    // oversampling
constexpr int kHalfTaps = 6;  // input samples on each side of an interpolated one
constexpr int kTaps = 2 * kHalfTaps + 1;
constexpr double kLookAheadS = 0.005;
constexpr double kReleaseS = 0.08;

/// Hann-windowed sinc at `kPhases` times the rate, as BS.1770-4 annex 2 asks of a true-peak meter:
/// [tap][phase], tap k weighs the input k samples ago.
std::array<std::array<float, kPhases>, kTaps> interpolator() {
  std::array<std::array<float, kPhases>, kTaps> taps{};
  for (int k = 0; k < kTaps; ++k) {
    for (int phase = 0; phase < kPhases; ++phase) {
      const double x = k - kHalfTaps + static_cast<double>(phase) / kPhases;
      if (std::abs(x) > kHalfTaps) continue;
      const double angle = std::numbers::pi * x;
      const double sinc = x == 0 ? 1 : std::sin(angle) / angle;
      const double window = 0.5 + 0.5 * std::cos(angle / kHalfTaps);
      taps[static_cast<std::size_t>(k)][static_cast<std::size_t>(phase)] =
          static_cast<float>(sinc * window);
    }
  }
  return taps;
}

/// Largest magnitude of all channels between the samples, `kHalfTaps` samples late; 0 where it
/// cannot exceed the ceiling.
class PeakEstimate {
 public:
  PeakEstimate(int channels, double ceiling)
      : channels_(static_cast<std::size_t>(channels)), history_(channels_) {
    float most = 0;  // that a phase makes of samples of magnitude 1
    for (std::size_t phase = 0; phase < kPhases; ++phase) {
      float sum = 0;
      for (const auto& tap : taps_) sum += std::abs(tap[phase]);
      most = std::max(most, sum);
    }
    harmless_ = 0.999F * static_cast<float>(ceiling) / most;
  }

  float operator()(std::span<const float> frame) {
    for (std::size_t c = 0; c < channels_; ++c) {
      history_[c][position_] = history_[c][position_ + kTaps] = frame[c];
      if (std::abs(frame[c]) > harmless_) loud_left_ = kTaps;
    }
    const float peak = loud_left_ > 0 ? interpolated() : 0;
    loud_left_ = std::max(loud_left_ - 1, 0);
    position_ = (position_ + 1) % kTaps;
    return peak;
  }

 private:
  using History = std::array<float, 2 * kTaps>;  // twice, so that a run of taps never wraps

  float interpolated() const {
    float peak = 0;
    for (const History& past : history_) {
      std::array<float, kPhases> sums{};
      for (std::size_t k = 0; k < kTaps; ++k)
        for (std::size_t phase = 0; phase < kPhases; ++phase)
          sums[phase] += taps_[k][phase] * past[position_ + kTaps - k];
      for (const float sum : sums) peak = std::max(peak, std::abs(sum));
    }
    return peak;
  }

  std::size_t channels_, position_ = 0;
  float harmless_ = 0;
  int loud_left_ = 0;  // frames until the last sample that may matter has left the taps
  std::vector<History> history_;
  std::array<std::array<float, kPhases>, kTaps> taps_ = interpolator();
};

/// Smallest of the last `width` values.
class SlidingMinimum {
 public:
  explicit SlidingMinimum(std::int64_t width) : width_(width) {}

  double operator()(double value) {
    while (!candidates_.empty() && candidates_.back().value >= value) candidates_.pop_back();
    candidates_.push_back({now_, value});
    if (candidates_.front().time <= now_ - width_) candidates_.pop_front();
    ++now_;
    return candidates_.front().value;
  }

 private:
  struct Candidate {
    std::int64_t time;
    double value;
  };
  std::int64_t width_, now_ = 0;
  std::deque<Candidate> candidates_;
};

/// Weighted mean of the last values' distances to 1; exactly 0 while all are.
class Smoother {
 public:
  explicit Smoother(std::size_t width) : weights_(width), past_(2 * width) {
    double sum = 0;
    for (std::size_t k = 0; k < width; ++k) {
      const double angle =
          2 * std::numbers::pi * static_cast<double>(k + 1) / static_cast<double>(width + 1);
      sum += weights_[k] = 0.5 - 0.5 * std::cos(angle);
    }
    for (double& weight : weights_) weight /= sum;
  }

  double operator()(double reduction) {
    const std::size_t width = weights_.size();
    if (past_[position_] != 0) --active_;
    if (reduction != 0) ++active_;
    past_[position_] = past_[position_ + width] = reduction;
    position_ = (position_ + 1) % width;
    if (active_ == 0) return 0;
    double sum = 0;  // the weights are symmetric: the order of time does not matter
    for (std::size_t k = 0; k < width; ++k) sum += weights_[k] * past_[position_ + k];
    return sum;
  }

 private:
  std::vector<double> weights_, past_;
  std::size_t position_ = 0, active_ = 0;
};

}  // namespace

struct Limiter::State {
  std::size_t channels;
  double ceiling;
  std::int64_t look_ahead;
  double release;  // share of the way back to 1 per sample
  PeakEstimate peak;
  SlidingMinimum hold;
  Smoother smooth;
  double held = 1;
  std::int64_t seen = 0, given = 0;
  double smallest_gain = 1;

  int delay() const { return static_cast<int>(look_ahead) - 1 + 2 * kHalfTaps; }

  /// The gain of the sample `delay()` before this one. It is held around each peak for as long as
  /// smoothing and interpolation reach, so it never exceeds what any sample nearby needs.
  float next(std::span<const float> frame) {
    const double found = peak(frame);
    const double needed = hold(found > ceiling ? ceiling / found : 1.0);
    held = std::min(needed, held + (1 - held) * release);
    if (held > 1 - 1e-6) held = std::min(needed, 1.0);
    const double gain = 1 - smooth(1 - held);
    smallest_gain = std::min(smallest_gain, gain);
    ++seen;
    return static_cast<float>(gain);
  }
};

Limiter::Limiter(const Config& config) {
  require(config.sample_rate_hz >= 8000 && config.channels >= 1 && config.ceiling_dbtp <= 0,
          ErrorCode::kInternal,
          "dsp: the limiter needs at least 8 kHz, one channel and a ceiling of at most 0 dBTP");
  const auto look_ahead = static_cast<std::int64_t>(kLookAheadS * config.sample_rate_hz);
  const double ceiling = std::pow(10, config.ceiling_dbtp / 20);
  state_.reset(new State{.channels = static_cast<std::size_t>(config.channels),
                         .ceiling = ceiling,
                         .look_ahead = look_ahead,
                         .release = 1 - std::exp(-1 / (kReleaseS * config.sample_rate_hz)),
                         .peak = PeakEstimate(config.channels, ceiling),
                         .hold = SlidingMinimum(look_ahead + 2 * kHalfTaps),
                         .smooth = Smoother(static_cast<std::size_t>(look_ahead))});
}

Limiter::~Limiter() = default;

std::vector<float> Limiter::push(std::span<const float> interleaved) {
  State& state = *state_;
  require(interleaved.size() % state.channels == 0, ErrorCode::kInternal,
          "dsp: the limiter got half a sample frame");
  std::vector<float> gains;
  gains.reserve(interleaved.size() / state.channels);
  for (std::size_t at = 0; at < interleaved.size(); at += state.channels) {
    const float gain = state.next(interleaved.subspan(at, state.channels));
    if (state.seen > state.delay()) gains.push_back(gain);
  }
  state.given += static_cast<std::int64_t>(gains.size());
  return gains;
}

std::vector<float> Limiter::finish() {
  State& state = *state_;
  const std::int64_t missing = state.seen - state.given;
  const std::vector<float> silence(static_cast<std::size_t>(state.delay()) * state.channels);
  std::vector<float> gains = push(silence);
  require(missing >= 0 && static_cast<std::int64_t>(gains.size()) >= missing, ErrorCode::kInternal,
          "dsp: the limiter was finished twice");
  gains.erase(gains.begin(), gains.end() - missing);
  return gains;
}

int Limiter::delay() const { return state_->delay(); }

double Limiter::largest_reduction_db() const { return 20 * std::log10(state_->smallest_gain); }

}  // namespace qingyin
