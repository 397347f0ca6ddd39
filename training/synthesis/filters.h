#pragma once

#include <span>
#include <vector>

#include "training/synthesis/random.h"

namespace qingyin::training {

inline constexpr double kRate = 48000.0;
inline constexpr double kPi = 3.14159265358979323846;

using Signal = std::vector<double>;

/// First-order low pass.
class OnePole {
 public:
  explicit OnePole(double cutoff_hz) { set(cutoff_hz); }
  void set(double cutoff_hz);
  double low(double x) { return state_ += gain_ * (x - state_); }
  double high(double x) { return x - low(x); }

 private:
  double gain_ = 1, state_ = 0;
};

/// Band pass, low pass and high pass of one state, stable under fast changes of the centre
/// (trapezoidal state variable filter; Zavalishin, "The art of VA filter design").
class StateVariable {
 public:
  StateVariable(double centre_hz, double q) { set(centre_hz, q); }
  void set(double centre_hz, double q);
  /// Advances by one sample. The band-pass output has unit gain at the centre.
  void step(double x);
  double low() const { return low_; }
  double band() const { return band_ * k_; }
  double high() const { return high_; }

 private:
  double g_ = 0, k_ = 1, a1_ = 1;
  double s1_ = 0, s2_ = 0, low_ = 0, band_ = 0, high_ = 0;
};

/// Random draws are made one per statement or in braces, never two in one call or product: their
/// order would be the compiler's.

/// Adds `gain` times white noise through a band pass, under exp(-t / decay_s) from sample `at` on,
/// with a linear rise of `rise_s`.
void add_noise_burst(Signal& out, double at, double gain, double centre_hz, double q, double rise_s,
                     double decay_s, Random& random);

/// A smooth random walk in about [-1, 1] (cubic between random knots `period_s` apart), one value
/// per sample.
Signal smooth_noise(std::size_t length, double period_s, Random& random);

/// Root mean square of the whole signal.
double rms(std::span<const double> signal);

/// Scales the signal to the given root mean square; silence stays silence.
void normalise(Signal& signal, double wanted_rms = 1.0);

/// out += gain * layer.
void mix(Signal& out, const Signal& layer, double gain);

}  // namespace qingyin::training
