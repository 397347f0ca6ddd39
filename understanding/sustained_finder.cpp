#include "understanding/sustained_finder.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace qingyin {
namespace {

constexpr double kLeastLong = 2.0;           // seconds
constexpr double kLeastStrength = 30;        // grey levels per second in the liveliest cells
constexpr std::size_t kLively = 8;           // cells
constexpr double kFast = 0.15, kSlow = 1.5;  // seconds, time constants of the running means
constexpr double kUneven = 2.0;              // fast over slow mean, either way
constexpr double kBin = 0.25;                // seconds, first spacing of the levels
constexpr std::size_t kMostLevels = 128;

double lively_strength(const MotionSample& sample) {
  CellMap cells = sample.change;
  std::nth_element(cells.begin(), cells.begin() + kLively, cells.end(), std::greater<>());
  double sum = 0;
  for (std::size_t i = 0; i < kLively; ++i) sum += cells[i];
  return sum / kLively;
}

// Halves the number of levels by joining neighbours.
void coarsen(SustainedMotion& motion) {
  std::vector<double> joined;
  for (std::size_t i = 0; i + 1 < motion.levels.size(); i += 2)
    joined.push_back(0.5 * (motion.levels[i] + motion.levels[i + 1]));
  motion.levels = std::move(joined);
  motion.step_s *= 2;
}

}  // namespace

void SustainedFinder::add(const MotionSample& sample) {
  const double seconds = sample.end_s - sample.start_s;
  if (seconds > kBin) return end_shot();  // so few frames do not show whether a pace is even
  const double strength = lively_strength(sample);
  if (heard_s_ == 0) fast_ = slow_ = strength;
  fast_ += (1 - std::exp(-seconds / kFast)) * (strength - fast_);
  slow_ += (1 - std::exp(-seconds / kSlow)) * (strength - slow_);
  heard_s_ += seconds;
  const bool even = fast_ < kUneven * slow_ && slow_ < kUneven * fast_;
  if (fast_ > kLeastStrength && even)
    extend(sample, strength);
  else
    close();
}

void SustainedFinder::extend(const MotionSample& sample, double strength) {
  Stretch& s = stretch_;
  const double seconds = sample.end_s - sample.start_s;
  double weight = 0, x = 0, y = 0;
  for (std::size_t k = 0; k < kCells; ++k) {
    const double w = static_cast<double>(sample.change[k]) * sample.change[k];
    weight += w;
    x += w * ((static_cast<double>(k % kGridSide) + 0.5) * 2 / kGridSide - 1);
    y -= w * ((static_cast<double>(k / kGridSide) + 0.5) * 2 / kGridSide - 1);
  }
  x /= std::max(weight, 1e-9);
  y /= std::max(weight, 1e-9);
  if (!s.running) {
    s = {};
    s.running = true;
    s.motion.begin_s = sample.start_s;
    s.motion.step_s = kBin;
    s.first_x = x;
    s.first_y = y;
  }
  s.motion.end_s = sample.end_s;
  s.motion.travel = std::hypot(x - s.first_x, y - s.first_y);
  s.sum += strength * seconds;
  s.sum_x += x * seconds;
  s.sum_y += y * seconds;
  s.seconds += seconds;
  s.bin_sum += strength * seconds;
  s.bin_seconds += seconds;
  if (s.bin_seconds + 1e-9 < s.motion.step_s) return;
  s.motion.levels.push_back(s.bin_sum / s.bin_seconds);
  s.bin_sum = s.bin_seconds = 0;
  if (s.motion.levels.size() >= kMostLevels) coarsen(s.motion);
}

void SustainedFinder::close() {
  Stretch& s = stretch_;
  if (s.running && s.seconds >= kLeastLong && !s.motion.levels.empty()) {
    SustainedMotion motion = s.motion;
    motion.strength = s.sum / s.seconds;
    motion.x = s.sum_x / s.seconds;
    motion.y = s.sum_y / s.seconds;
    const double most = *std::ranges::max_element(motion.levels);
    for (double& level : motion.levels) level = std::clamp(level / most, 0.0, 1.0);
    found_.push_back(std::move(motion));
  }
  s = {};
}

void SustainedFinder::end_shot() {
  close();
  fast_ = slow_ = heard_s_ = 0;
}

}  // namespace qingyin
