#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/dsp/fft.h"

namespace qingyin::test {

inline constexpr double kRate = 48000.0;

inline double peak(std::span<const float> x) {
  double best = 0;
  for (const float v : x) best = std::max(best, std::abs(static_cast<double>(v)));
  return best;
}

inline double rms_db(std::span<const float> x) {
  double sum = 1e-20;
  for (const float v : x) sum += static_cast<double>(v) * v;
  return 10 * std::log10(sum / static_cast<double>(x.size()));
}

/// Level of the loudest `seconds`, dBFS.
inline double loudest_db(std::span<const float> x, double seconds = 0.05) {
  const auto window = static_cast<std::size_t>(seconds * kRate);
  double best = -200;
  for (std::size_t i = 0; i + window <= x.size(); i += 48) {
    best = std::max(best, rms_db(x.subspan(i, window)));
  }
  return best;
}

/// First sample within 50 dB of the peak.
inline std::int64_t first_audible(std::span<const float> x) {
  const double threshold = 0.00316 * peak(x);
  const auto first =
      std::find_if(x.begin(), x.end(), [&](float v) { return std::abs(v) >= threshold; });
  return first - x.begin();
}

/// Power in the bins of one transform over the whole sound, zero-padded to 2^17 samples.
inline std::vector<double> power_spectrum(std::span<const float> x) {
  static const Fft transform(1 << 17);
  Fft::Workspace space(transform.size());
  std::fill(space.signal().begin(), space.signal().end(), 0.0F);
  std::copy_n(x.begin(), std::min(x.size(), space.signal().size()), space.signal().begin());
  transform.forward(space);
  std::vector<double> power;
  for (const auto& bin : space.spectrum()) power.push_back(std::norm(bin));
  return power;
}

/// Centre of gravity of the power spectrum in Hz.
inline double centroid_hz(std::span<const float> x) {
  const auto power = power_spectrum(x);
  double sum = 1e-30, weighted = 0;
  for (std::size_t k = 0; k < power.size(); ++k) {
    sum += power[k];
    weighted += power[k] * static_cast<double>(k) * kRate / (1 << 17);
  }
  return weighted / sum;
}

/// Share of the power above `hz`, dB.
inline double share_above_db(std::span<const float> x, double hz) {
  const auto power = power_spectrum(x);
  double all = 1e-30, high = 1e-30;
  for (std::size_t k = 0; k < power.size(); ++k) {
    all += power[k];
    if (static_cast<double>(k) * kRate / (1 << 17) > hz) high += power[k];
  }
  return 10 * std::log10(high / all);
}

/// Slope of the long-term spectrum in dB per octave: the straight line through the levels of its
/// third-octave bands' densities from 250 Hz to 8 kHz, 50 dB under the loudest at least.
inline double slope_db_per_octave(std::span<const float> x) {
  constexpr int kThirds = 16;
  const auto power = power_spectrum(x);
  std::vector<double> density;
  for (int band = 0; band < kThirds; ++band) {
    const double low = 223 * std::exp2(band / 3.0), step = kRate / (1 << 17);
    const auto first = static_cast<std::size_t>(low / step);
    const auto last = static_cast<std::size_t>(low * std::exp2(1 / 3.0) / step);
    double sum = 1e-30;
    for (std::size_t k = first; k < last; ++k) sum += power[k];
    density.push_back(10 * std::log10(sum / static_cast<double>(last - first)));
  }
  const double top = *std::max_element(density.begin(), density.end());
  double covariance = 0, variance = 0, mean = 0;
  for (double& level : density) mean += (level = std::max(level, top - 50)) / kThirds;
  for (int band = 0; band < kThirds; ++band) {
    const double octave = (band - 0.5 * (kThirds - 1)) / 3.0;
    covariance += octave * (density[static_cast<std::size_t>(band)] - mean);
    variance += octave * octave;
  }
  return covariance / variance;
}

/// From the onset until the energy of 2 ms windows first comes within 3 dB of its maximum, in ms.
inline double attack_ms(std::span<const float> x, std::int64_t onset) {
  constexpr std::size_t kWindow = 96;
  std::vector<double> energy;
  for (std::size_t i = static_cast<std::size_t>(onset); i + kWindow <= x.size(); i += 24) {
    energy.push_back(rms_db(x.subspan(i, kWindow)));
  }
  const double top = *std::max_element(energy.begin(), energy.end());
  const auto reached =
      std::find_if(energy.begin(), energy.end(), [&](double e) { return e > top - 3; });
  return static_cast<double>(reached - energy.begin()) * 0.5;
}

/// Time of a 60 dB decay in s, from the slope of Schroeder's integral between -5 and -25 dB (ISO
/// 3382).
inline double decay_s(std::span<const float> x) {
  double total = 0;
  for (const float v : x) total += static_cast<double>(v) * v;
  double left = total;
  std::size_t start = 0, end = x.size();
  for (std::size_t i = 0; i < x.size(); ++i) {
    left -= static_cast<double>(x[i]) * x[i];
    const double db = 10 * std::log10(std::max(left / total, 1e-12));
    if (start == 0 && db <= -5) start = i;
    if (db <= -25) {
      end = i;
      break;
    }
  }
  return 3 * static_cast<double>(end - start) / kRate;
}

inline double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

inline double median(const std::vector<double>& values) { return quantile(values, 0.5); }

}  // namespace qingyin::test
