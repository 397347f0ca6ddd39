#include "understanding/event_picker.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "understanding/evidence.h"
#include "understanding/roll_view.h"

namespace qingyin {
namespace {

constexpr double kPeakReach = 0.15;
constexpr double kMedianReach = 0.5;
constexpr double kTiny = 1e-9;

/// Of a logistic function of two clues.
struct Weights {
  double first, second, offset;
};

/// How clues become a confidence, and what is kept at sensitivity 0.5. Fitted and chosen; see
/// docs/understanding.md.
constexpr Weights kStopWeights{1.1, 18.4, -19.7};  // of ln clear and full
constexpr Weights kStartWeights{1.5, 2.5, -5.75};  // of ln growth and prominence
constexpr double kSeenWeight = 0.3;                // of the network's log-odds, in either
constexpr double kProminence = 0.3;                // of the window's high evidence
constexpr double kConfidence = 0.35;
constexpr double kConfidenceWithNetwork = 0.35;

using Cells = std::array<double, kCells>;

double logistic(double x) { return 1 / (1 + std::exp(-x)); }
double logit(double p) { return std::log(p / (1 - p)); }

double weighted_mean(const CellMap& map, const Cells& weights) {
  double sum = 0, total = kTiny;
  for (std::size_t k = 0; k < kCells; ++k) {
    sum += weights[k] * map[k];
    total += weights[k];
  }
  return sum / total;
}

// Where the weight lies: its centre, and the share of the picture that it spreads over.
void locate(const Cells& weights, PickedEvent& event) {
  double total = kTiny, square = kTiny;
  event.x = event.y = 0;
  for (std::size_t k = 0; k < kCells; ++k) {
    event.x += weights[k] * ((static_cast<double>(k % kGridSide) + 0.5) * 2 / kGridSide - 1);
    event.y -= weights[k] * ((static_cast<double>(k / kGridSide) + 0.5) * 2 / kGridSide - 1);
    total += weights[k];
    square += weights[k] * weights[k];
  }
  event.x /= total;
  event.y /= total;
  event.area = std::min(1.0, total * total / (square * kCells));
}

// A quantity on a logarithmic scale from `least` (0) to `most` (1).
double on_scale(double value, double least, double most) {
  return std::clamp(std::log(std::max(value, kTiny) / least) / std::log(most / least), 0.0, 1.0);
}

// The sample, not the first, that begins nearest to `time_s`.
std::size_t nearest_sample(std::span<const MotionSample> samples, double time_s) {
  std::size_t nearest = 1;
  for (std::size_t i = 1; i < samples.size(); ++i)
    if (std::abs(samples[i].start_s - time_s) < std::abs(samples[nearest].start_s - time_s))
      nearest = i;
  return nearest;
}

// The sample that begins where the strongest stop near `time_s` lies.
std::size_t stop_near(std::span<const MotionSample> samples, const Evidence& evidence,
                      double time_s) {
  const std::size_t nearest = nearest_sample(samples, time_s);
  std::size_t best = nearest;
  for (const std::size_t i : {nearest - 1, nearest + 1})
    if (i >= 1 && i < samples.size() && evidence.stop_at[i] > evidence.stop_at[best]) best = i;
  return best;
}

/// A shot, and what the network says about it.
struct Shot {
  std::span<const MotionSample> samples;
  NetworkView network;
};

double confidence(const Weights& weights, double first, double second, double seen) {
  return logistic(weights.first * first + weights.second * second + kSeenWeight * seen +
                  weights.offset);
}

// A strike: the motion in the cells that stopped comes to a full rest, and that stands clear of
// what happens within a second around.
PickedEvent judge_stop(const Shot& shot, const Evidence& evidence, const Peak& peak) {
  constexpr double kQuietStop = 0.1, kQuietSpeed = 2.0;
  constexpr std::ptrdiff_t kAround = 100;
  constexpr std::size_t kBefore = 4, kAfter = 3;
  constexpr double kSlow = 10, kFast = 1000, kDecay = 0.25;

  const std::span<const MotionSample> samples = shot.samples;
  const std::size_t at = stop_near(samples, evidence, peak.time_s - kStopLag);
  Cells weights = stopping(samples[at - 1], samples[at]);
  for (double& w : weights) w *= w;
  double fastest = 0, slowest = std::numeric_limits<double>::max();
  for (std::size_t i = at - std::min(at, kBefore); i < at; ++i)
    fastest = std::max(fastest, weighted_mean(samples[i].down, weights));
  for (std::size_t i = at; i < std::min(samples.size(), at + kAfter); ++i)
    slowest = std::min(slowest, weighted_mean(samples[i].down, weights));

  const auto index = static_cast<std::ptrdiff_t>(peak.index);
  const double quiet =
      std::max(local_median(evidence.stops, index - kAround, index + kAround), kQuietStop);
  const double clear = std::max(evidence.stops.values[peak.index] / quiet, kTiny);
  const double full = (fastest - slowest) / (fastest + kQuietSpeed);

  PickedEvent event{.time_s = peak.time_s, .cause = EventCause::kStop};
  event.clues.seen = seen_onset(shot.network.steps, peak.time_s);
  event.confidence = confidence(kStopWeights, std::log(clear), full, event.clues.seen);
  event.clues.clear = clear;
  event.clues.full = full;
  event.intensity = on_scale(fastest - slowest, kSlow, kFast);
  event.end_s = peak.time_s + kDecay;
  locate(weights, event);
  return event;
}

// Where a start is seen, and how much light it brings: at the strongest growth around its time.
void place_start(std::span<const MotionSample> samples, PickedEvent& event) {
  const std::size_t near = nearest_sample(samples, event.time_s);
  std::size_t at = near;
  for (const std::size_t i : {near - 1, near + 1})
    if (i >= 1 && i < samples.size() &&
        samples[i].level - samples[i - 1].level > samples[at].level - samples[at - 1].level)
      at = i;
  Cells weights;
  for (std::size_t k = 0; k < kCells; ++k) {
    const double grown = std::max(0.0F, samples[at].change[k] - samples[at - 1].change[k]);
    weights[k] = grown * grown;
  }
  locate(weights, event);
  event.brighter = std::max(samples[at].brighter, samples[at - 1].brighter);
}

// When the level has fallen half way from its top back to `before`, at most `latest_s`.
double half_decay(const Curve& level, std::size_t top, double before, double latest_s) {
  const double half = 0.5 * (level.values[top] + before);
  std::size_t last = top;
  while (last + 1 < level.size() && level.values[last] > half &&
         level.time_of(static_cast<double>(last)) < latest_s)
    ++last;
  return level.time_of(static_cast<double>(last));
}

// A start: the change grows many times over what it was just before.
PickedEvent judge_start(const Shot& shot, const Evidence& evidence, const Peak& peak) {
  constexpr double kQuietLevel = 5.0;  // grey levels per second
  constexpr double kWeak = 10, kStrong = 1000;
  constexpr double kShortest = 0.15, kLongest = 1.5;
  const auto index = static_cast<std::ptrdiff_t>(peak.index);
  const Curve& level = evidence.level;
  const auto begin = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, index - 10));
  const std::size_t end = std::min(level.size(), peak.index + 15);
  std::size_t top = begin;
  for (std::size_t i = begin; i < end; ++i)
    if (level.values[i] > level.values[top]) top = i;
  const double before = local_median(level, index - 30, std::max<std::ptrdiff_t>(1, index - 5));
  const double growth = level.values[top] / std::max(before, kQuietLevel);

  PickedEvent event{.time_s = peak.time_s, .cause = EventCause::kStart};
  event.clues.seen = seen_onset(shot.network.steps, peak.time_s);
  event.confidence = confidence(kStartWeights, std::log(std::max(growth, kTiny)), peak.prominence,
                                event.clues.seen);
  event.clues.growth = growth;
  event.intensity = on_scale(level.values[top] - before, kWeak, kStrong);
  event.end_s =
      std::max(peak.time_s + kShortest, half_decay(level, top, before, peak.time_s + kLongest));
  place_start(shot.samples, event);
  return event;
}

// Peaks of the stops alone that are strikes for sure.
std::vector<PickedEvent> sure_strikes(const Shot& shot, const Evidence& evidence,
                                      double prominence) {
  constexpr double kSure = 0.5, kHighShare = 0.98;
  Curve stops = evidence.stops;
  const double high = std::max(quantile(stops.values, kHighShare), kTiny);
  for (double& v : stops.values) v /= high;
  std::vector<PickedEvent> strikes;
  for (const Peak& peak : find_peaks(stops, kPeakReach, kMedianReach, prominence)) {
    const PickedEvent strike = judge_stop(shot, evidence, peak);
    if (strike.confidence > kSure) strikes.push_back(strike);
  }
  return strikes;
}

// What starts at `start` may be a fall that ends in a strike. A fall gathers speed, a bang is at
// its strongest at once: a start that is weak against what follows gives way to the strike.
const PickedEvent* strike_after(const PickedEvent& start, const Evidence& evidence,
                                const std::vector<PickedEvent>& strikes) {
  constexpr double kSoonest = 0.05, kLatest = 0.4, kWeakShare = 0.45;
  for (const PickedEvent& strike : strikes) {
    const double wait = strike.time_s - start.time_s;
    if (wait < kSoonest || wait > kLatest) continue;
    const std::vector<double>& level = evidence.level.values;
    const std::size_t from = evidence.level.index_of(start.time_s - 0.1);
    const std::size_t early = evidence.level.index_of(start.time_s);
    const std::size_t to = evidence.level.index_of(strike.time_s - kStopLag);
    const auto highest = [&](std::size_t begin, std::size_t end) {
      double most = 0;
      for (std::size_t i = begin; i <= end; ++i) most = std::max(most, level[i]);
      return most;
    };
    if (highest(from, early) < kWeakShare * highest(from, std::max(early, to))) return &strike;
  }
  return nullptr;
}

}  // namespace

std::vector<PickedEvent> pick_events(std::span<const MotionSample> samples,
                                     const PickWindow& window, double sensitivity,
                                     const NetworkView& network) {
  std::vector<PickedEvent> events;
  if (samples.size() < 3) return events;
  const double lean = 2 * (0.5 - sensitivity);  // -1 eager .. 1 strict
  const Shot shot{samples, network};
  const double least = logit(network.is_there ? kConfidenceWithNetwork : kConfidence) + 3 * lean;
  const double prominence = kProminence * std::pow(2.0, lean);
  const Evidence evidence = gather_evidence(samples, window.begin_s, window.end_s);
  const std::vector<PickedEvent> strikes = sure_strikes(shot, evidence, prominence);
  for (const Peak& peak : find_peaks(evidence.mixed, kPeakReach, kMedianReach, prominence)) {
    const PickedEvent stop = judge_stop(shot, evidence, peak);
    const PickedEvent start = judge_start(shot, evidence, peak);
    PickedEvent event = stop;
    if (start.confidence > stop.confidence) {
      const PickedEvent* strike = strike_after(start, evidence, strikes);
      event = strike != nullptr ? *strike : start;
    }
    event.clues = {.prominence = peak.prominence,
                   .start_share = evidence.start_share,
                   .clear = stop.clues.clear,
                   .full = stop.clues.full,
                   .growth = start.clues.growth,
                   .seen = stop.clues.seen};
    event.kind = seen_kind(network.steps, peak.time_s);
    if (logit(event.confidence) > least && event.time_s >= window.from_s &&
        event.time_s < window.to_s)
      events.push_back(event);
  }
  std::ranges::sort(events, {}, &PickedEvent::time_s);
  return events;
}

}  // namespace qingyin
