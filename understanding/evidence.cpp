#include "understanding/evidence.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace qingyin {
namespace {

constexpr double kSmoothing = 0.02;
constexpr double kLevelSmoothing = 0.03;
constexpr double kHighShare = 0.98;
constexpr double kBurstiness = 4.2;  // of the change, where stops and starts weigh the same
constexpr double kBurstPower = 6;
constexpr double kTiny = 1e-9;

double mean_square_root(const std::array<double, kCells>& cells) {
  double sum = 0;
  for (const double c : cells) sum += c * c;
  return std::sqrt(sum / kCells);
}

// What changes everywhere by a little is the grain and the coding of the picture (a key frame of a
// still picture renews all of it): it is taken out of every cell.
double local_level(const MotionSample& sample) {
  constexpr double kGrain = 3.0;  // grey levels between two frames
  CellMap cells = sample.change;
  std::nth_element(cells.begin(), cells.begin() + kCells / 2, cells.end());
  const double everywhere =
      std::min(static_cast<double>(cells[kCells / 2]), kGrain / (sample.end_s - sample.start_s));
  double sum = 0;
  for (const float change : sample.change) sum += std::max(0.0, change - everywhere);
  return sum / kCells;
}

std::vector<double> levels_of(std::span<const MotionSample> samples) {
  std::vector<double> levels;
  for (const MotionSample& s : samples) levels.push_back(local_level(s));
  return levels;
}

void divide_by_high(std::vector<double>& values) {
  const double high = std::max(quantile(values, kHighShare), kTiny);
  for (double& v : values) v /= high;
}

void find_stops(std::span<const MotionSample> samples, const Curve& grid, Evidence& found) {
  found.stop_at.assign(samples.size(), 0.0);
  std::vector<double> times{samples.front().start_s + kStopLag}, values{0.0};
  for (std::size_t i = 1; i < samples.size(); ++i) {
    found.stop_at[i] = mean_square_root(stopping(samples[i - 1], samples[i]));
    times.push_back(samples[i].start_s + kStopLag);
    values.push_back(found.stop_at[i]);
  }
  times.push_back(samples.back().end_s + kStopLag);
  values.push_back(0.0);
  found.stops =
      smoothed(resampled(times, values, Outside::kZero, grid.begin_s, grid.size()), kSmoothing);
}

// Two views of a start: the plain growth of the change, and its growth on a logarithmic scale,
// which sees small starts from rest.
void find_starts(std::span<const MotionSample> samples, const Curve& grid, Evidence& found) {
  constexpr double kScale = 0.033, kRestShare = 0.1, kRest = 0.05;
  const std::vector<double> levels = levels_of(samples);
  std::vector<double> middles;
  for (const MotionSample& s : samples) middles.push_back(0.5 * (s.start_s + s.end_s));
  found.level = resampled(middles, levels, Outside::kHeld, grid.begin_s, grid.size());

  const double rest = kRestShare * kScale * quantile(levels, 0.5) + kRest;
  std::vector<double> plain, logarithmic, plain_times, logarithmic_times;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const double growth = (kScale * levels[i] + rest) / (kScale * levels[i - 1] + rest);
    plain.push_back(std::max(0.0, levels[i] - levels[i - 1]));
    logarithmic.push_back(std::max(0.0, std::log(growth)));
    plain_times.push_back(samples[i].start_s + kStartLag);
    logarithmic_times.push_back(middles[i] + kStartLag);
  }
  divide_by_high(plain);
  divide_by_high(logarithmic);
  Curve sum = resampled(plain_times, plain, Outside::kZero, grid.begin_s, grid.size());
  const Curve second =
      resampled(logarithmic_times, logarithmic, Outside::kZero, grid.begin_s, grid.size());
  for (std::size_t i = 0; i < sum.size(); ++i) sum.values[i] += second.values[i];
  found.starts = smoothed(sum, kSmoothing);
}

// Stops rule where the change is steady, starts where it comes in bursts. The level is smoothed
// first, so that a jerky rate conversion does not look like bursts.
void mix(Evidence& found) {
  const Curve level = smoothed(found.level, kLevelSmoothing);
  const double burstiness =
      quantile(level.values, kHighShare) / std::max(quantile(level.values, 0.5), kTiny);
  const double share = 1 / (1 + std::pow(burstiness / kBurstiness, -kBurstPower));
  found.start_share = share;
  std::vector<double> stops = found.stops.values, starts = found.starts.values;
  divide_by_high(stops);
  divide_by_high(starts);
  found.mixed = {found.stops.begin_s, std::vector<double>(stops.size())};
  for (std::size_t i = 0; i < stops.size(); ++i)
    found.mixed.values[i] = std::max((1 - share) * stops[i], share * starts[i]);
  divide_by_high(found.mixed.values);
}

}  // namespace

std::array<double, kCells> stopping(const MotionSample& before, const MotionSample& after) {
  std::array<double, kCells> cells;
  for (std::size_t k = 0; k < kCells; ++k)
    cells[k] = std::max(0.0, static_cast<double>(before.down[k]) - after.down[k]);
  return cells;
}

Evidence gather_evidence(std::span<const MotionSample> samples, double begin_s, double end_s) {
  const double steps = std::max(1.0, std::ceil((end_s - begin_s) / Curve::kStep - 1e-6));
  const Curve grid{begin_s, std::vector<double>(static_cast<std::size_t>(steps))};
  Evidence found;
  find_stops(samples, grid, found);
  find_starts(samples, grid, found);
  mix(found);
  return found;
}

}  // namespace qingyin
