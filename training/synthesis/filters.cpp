#include "training/synthesis/filters.h"

#include <algorithm>
#include <cmath>

namespace qingyin::training {

void OnePole::set(double cutoff_hz) {
  gain_ = 1.0 - std::exp(-2.0 * kPi * std::min(cutoff_hz, 0.45 * kRate) / kRate);
}

void StateVariable::set(double centre_hz, double q) {
  g_ = std::tan(kPi * std::clamp(centre_hz, 5.0, 0.45 * kRate) / kRate);
  k_ = 1.0 / q;
  a1_ = 1.0 / (1.0 + g_ * (g_ + k_));
}

void StateVariable::step(double x) {
  band_ = a1_ * (s1_ + g_ * (x - s2_));
  low_ = s2_ + g_ * band_;
  high_ = x - k_ * band_ - low_;
  s1_ = 2.0 * band_ - s1_;
  s2_ = 2.0 * low_ - s2_;
}

void add_noise_burst(Signal& out, double at, double gain, double centre_hz, double q, double rise_s,
                     double decay_s, Random& random) {
  const auto first = static_cast<std::size_t>(std::max(0.0, at));
  const auto length = static_cast<std::size_t>((rise_s + 7.0 * decay_s) * kRate) + 1;
  const std::size_t last = std::min(out.size(), first + length);
  // Equal bandwidth, equal loudness: a narrow band passes less of the noise.
  const double scale = gain * std::sqrt(q * kRate / (kPi * std::max(centre_hz, 50.0))) * 0.5;
  StateVariable filter(centre_hz, q);
  const double keep = std::exp(-1.0 / (decay_s * kRate));
  const double rise = 1.0 / std::max(1.0, rise_s * kRate);
  double up = 0, down = 1;
  for (std::size_t i = first; i < last; ++i) {
    up = std::min(1.0, up + rise);
    if (up >= 1.0) down *= keep;
    filter.step(random.noise());
    out[i] += scale * up * down * filter.band();
  }
}

Signal smooth_noise(std::size_t length, double period_s, Random& random) {
  Signal out(length);
  const double step = 1.0 / (period_s * kRate);
  double p[4];
  for (double& knot : p) knot = random.range(-1.0, 1.0);
  double u = random.uniform();
  for (double& value : out) {
    value =
        p[1] +
        0.5 * u *
            (p[2] - p[0] +
             u * (2 * p[0] - 5 * p[1] + 4 * p[2] - p[3] + u * (3 * (p[1] - p[2]) + p[3] - p[0])));
    u += step;
    if (u >= 1.0) {
      u -= 1.0;
      std::copy(p + 1, p + 4, p);
      p[3] = random.range(-1.0, 1.0);
    }
  }
  return out;
}

double rms(std::span<const double> signal) {
  double sum = 0;
  for (const double x : signal) sum += x * x;
  return signal.empty() ? 0.0 : std::sqrt(sum / static_cast<double>(signal.size()));
}

void normalise(Signal& signal, double wanted_rms) {
  const double now = rms(signal);
  if (now <= 0) return;
  for (double& x : signal) x *= wanted_rms / now;
}

void mix(Signal& out, const Signal& layer, double gain) {
  const std::size_t length = std::min(out.size(), layer.size());
  for (std::size_t i = 0; i < length; ++i) out[i] += gain * layer[i];
}

}  // namespace qingyin::training
