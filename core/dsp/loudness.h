#pragma once

#include <memory>
#include <span>
#include <vector>

namespace qingyin {

/// What BS.1770-4 measures. Values in LUFS, LU and dBTP; -infinity where nothing was loud enough.
struct LoudnessFigures {
  double integrated_lufs;
  double max_momentary_lufs;
  double range_lu;
  double true_peak_dbtp;
};

/// Streaming loudness meter on libebur128.
class LoudnessMeter {
 public:
  LoudnessMeter(int sample_rate_hz, int channels);
  ~LoudnessMeter();
  void add(std::span<const float> interleaved);
  LoudnessFigures figures() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Look-ahead true-peak limiter, streaming. It yields the gain curve, so that stems get the very
/// gain that the mix gets. The gain is 1 wherever the ceiling is kept.
class Limiter {
 public:
  struct Config {
    int sample_rate_hz;
    int channels;
    double ceiling_dbtp;
  };

  explicit Limiter(const Config& config);
  ~Limiter();
  /// Takes the next samples [length, channels]; returns the gains of the samples that are decided
  /// (`delay()` samples behind).
  std::vector<float> push(std::span<const float> interleaved);
  /// The remaining gains. In all as many gains came out as samples went in.
  std::vector<float> finish();
  int delay() const;
  /// The largest reduction so far, in dB, at most 0.
  double largest_reduction_db() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qingyin
