#include "training/figures.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "audio_gen/bundled/representation.h"

namespace qingyin::training {
namespace {

constexpr std::int64_t kMillisecond = bundled::kSampleRate / 1000;

double energy(std::span<const float> x) {
  double sum = 0;
  for (const float v : x) sum += static_cast<double>(v) * v;
  return sum;
}

/// Ranks from 0; equal values share the mean of theirs.
std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> result(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i + 1;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    for (std::size_t k = i; k < end; ++k) {
      result[order[k]] = 0.5 * static_cast<double>(i + end - 1);
    }
    i = end;
  }
  return result;
}

at::Tensor covariance(const at::Tensor& centred) {
  return at::matmul(centred.t(), centred) / static_cast<double>(centred.size(0) - 1);
}

}  // namespace

double frame_change(std::span<const float> samples) {
  const auto mel = bundled::clamped_log_mel(samples);
  double sum = 0, count = 0;
  for (std::size_t i = bundled::kMelBands; i < mel.size(); ++i) {
    const float before = mel[i - bundled::kMelBands];
    if (std::max(mel[i], before) < bundled::kQuietestLogMel + 2) continue;
    sum += std::abs(mel[i] - before);
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

std::optional<double> decay_time(std::span<const float> samples) {
  double left = energy(samples);
  const double whole = left;
  std::optional<double> at5, at25;
  for (std::size_t i = 0; i < samples.size() && !at25; ++i) {
    const double db = 10 * std::log10(std::max(left / std::max(whole, 1e-30), 1e-30));
    const double time = static_cast<double>(i) / bundled::kSampleRate;
    if (!at5 && db <= -5) at5 = time;
    if (db <= -25) at25 = time;
    left -= static_cast<double>(samples[i]) * samples[i];
  }
  if (!at5 || !at25 || *at25 <= *at5) return std::nullopt;
  return 3 * (*at25 - *at5);
}

double attack_rise_db(std::span<const float> samples, std::int64_t around) {
  std::vector<double> level;
  for (std::int64_t k = -15; k < 15; ++k) {
    const std::int64_t from = around + k * kMillisecond;
    if (from < 0 || from + kMillisecond > static_cast<std::int64_t>(samples.size())) continue;
    level.push_back(energy(
        samples.subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(kMillisecond))));
  }
  if (level.empty()) return 0;
  const double loudest = std::ranges::max(level);
  double best = 0;
  for (std::size_t i = 2; i < level.size(); ++i) {
    const double before = std::max(level[i - 2], 1e-6 * loudest);
    best = std::max(best, 10 * std::log10(std::max(level[i], before) / std::max(before, 1e-30)));
  }
  return best;
}

Piece piece_of(std::span<const float> samples) {
  const at::Tensor x = at::tensor(at::ArrayRef<float>(samples.data(), samples.size()));
  const at::Tensor power = at::fft_rfft(x * at::hann_window(x.size(0))).abs().square();
  const at::Tensor hz = at::arange(power.size(0), at::kFloat) *
                        (bundled::kSampleRate / static_cast<double>(x.size(0)));
  const double all = std::max(power.sum().item<double>(), 1e-20);
  const double centroid = (power * hz).sum().item<double>() / all;
  const double rms = std::sqrt(energy(samples) / static_cast<double>(samples.size()));
  return {bundled::dbfs_of(rms), std::log2(std::max(centroid, 1.0))};
}

double spearman(std::span<const double> a, std::span<const double> b) {
  const auto left = ranks(a), right = ranks(b);
  const double mean = 0.5 * (static_cast<double>(left.size()) - 1);
  double product = 0, first = 0, second = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    product += (left[i] - mean) * (right[i] - mean);
    first += (left[i] - mean) * (left[i] - mean);
    second += (right[i] - mean) * (right[i] - mean);
  }
  return first > 0 && second > 0 ? product / std::sqrt(first * second) : 0;
}

double superiority(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) return std::numeric_limits<double>::quiet_NaN();
  double wins = 0;
  for (const double x : a) {
    for (const double y : b) wins += x > y ? 1 : x == y ? 0.5 : 0;
  }
  return wins / static_cast<double>(a.size() * b.size());
}

double quantile(std::vector<double> values, double part) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::ranges::sort(values);
  const auto place = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1) + 0.5);
  return values[place];
}

double frechet_distance(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  const at::Tensor mean_x = x.mean(0), mean_y = y.mean(0);
  const at::Tensor cov_x = covariance(x - mean_x), cov_y = covariance(y - mean_y);
  // The trace of (cov_x cov_y)^(1/2) by way of a symmetric matrix with the same eigenvalues.
  const auto [values, vectors] = at::linalg_eigh(cov_x);
  const at::Tensor root =
      at::matmul(vectors * values.clamp_min(0).sqrt().unsqueeze(0), vectors.t());
  const at::Tensor inner = at::linalg_eigvalsh(at::matmul(at::matmul(root, cov_y), root));
  const at::Tensor distance = (mean_x - mean_y).square().sum() + cov_x.trace() + cov_y.trace() -
                              2 * inner.clamp_min(0).sqrt().sum();
  return distance.item<double>();
}

}  // namespace qingyin::training
