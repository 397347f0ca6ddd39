#include "tuning/takes.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "audio_gen/bundled/representation.h"
#include "core/dsp/onset.h"

namespace qingyin::tuning {
namespace {

constexpr int kRate = bundled::kSampleRate;
constexpr std::size_t kFrame = kRate / 200;  // 5 ms
constexpr double kSilentDbfs = -60;          // of the loudest 5 ms
constexpr double kDepthDb = 45;              // under the loudest frame nothing is a sound
constexpr double kOverFloorDb = 8;
constexpr double kLeastStandingDb = 15;  // of a take over the gate
constexpr std::size_t kGap = 24;         // frames: shorter pauses lie within one sound
constexpr std::size_t kLeastLength = 4;  // frames
constexpr double kFallDb = 18;           // before another attack in the same stretch

std::vector<double> levels_of(std::span<const float> mono, std::size_t frame) {
  std::vector<double> levels;
  for (std::size_t i = 0; i + frame <= mono.size(); i += frame) {
    double sum = 0;
    for (const float x : mono.subspan(i, frame)) sum += static_cast<double>(x) * x;
    levels.push_back(10 * std::log10(sum / static_cast<double>(frame) + 1e-12));
  }
  return levels;
}

double highest(const std::vector<double>& levels, std::size_t begin, std::size_t end) {
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t i = begin; i < std::min(end, levels.size()); ++i) {
    best = std::max(best, levels[i]);
  }
  return best;
}

struct Stretch {
  std::size_t begin, end;  // frames
};

std::vector<Stretch> stretches_over(const std::vector<double>& levels, double gate) {
  std::vector<Stretch> found;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (levels[i] < gate) continue;
    if (!found.empty() && i - found.back().end < kGap) {
      found.back().end = i + 1;
    } else {
      found.push_back({i, i + 1});
    }
  }
  std::erase_if(found, [](const Stretch& s) { return s.end - s.begin < kLeastLength; });
  return found;
}

/// The level that a recording has in its pauses, or else one far below its sounds.
double gate_of(const std::vector<double>& levels, double peak) {
  std::vector<double> sorted = levels;
  std::sort(sorted.begin(), sorted.end());
  const double floor = sorted[sorted.size() / 10];
  return std::max(peak - kDepthDb, std::min(floor + kOverFloorDb, peak - kLeastStandingDb));
}

/// Another attack begins a take of its own where the sound had fallen far before it.
std::vector<std::size_t> later_attacks(const std::vector<double>& levels, const Stretch& stretch,
                                       std::span<const Seconds> onsets) {
  std::vector<std::size_t> frames;
  std::size_t last = stretch.begin;
  for (const Seconds onset : onsets) {
    const auto frame = static_cast<std::size_t>(onset.count() * kRate / kFrame);
    if (frame <= last + kGap || frame >= stretch.end) continue;
    const double before = highest(levels, frame - 6, frame - 1);
    const double fall_from = highest(levels, last, frame - 6);
    const double rise_to = highest(levels, frame, frame + 20);
    if (fall_from - before < kFallDb || rise_to - before < kFallDb) continue;
    frames.push_back(frame);
    last = frame;
  }
  return frames;
}

Take take_of(std::span<const float> mono, std::size_t begin, std::size_t end) {
  // The stretch begins with the frame in which the attack lies, or the one before it.
  constexpr std::size_t kBefore = 4 * kFrame;
  const std::size_t from = begin > kBefore ? begin - kBefore : 0;
  const auto start =
      sound_start(mono.subspan(from, std::min(end, mono.size()) - from), kRate, 0.05);
  const std::size_t attack =
      start ? from + static_cast<std::size_t>(std::llround(start->count() * kRate)) : begin;
  Take take{std::min(attack, end - 1), end, 0};
  take.level_dbfs = bundled::dbfs_of(
      std::max(bundled::loudest_rms(mono.subspan(take.begin, take.end - take.begin)), 1e-9));
  return take;
}

}  // namespace

std::optional<Fault> recording_fault(std::span<const float> mono) {
  constexpr double kLeastSeconds = 0.03, kMostClipped = 0.002;
  const auto levels = levels_of(mono, kFrame);
  if (static_cast<double>(mono.size()) < kLeastSeconds * kRate) {
    return Fault{"too_short", "it lasts less than 30 ms"};
  }
  if (highest(levels, 0, levels.size()) < kSilentDbfs) {
    return Fault{"silent", "it is silent (below -60 dBFS throughout)"};
  }
  // Full scale, or a flat top just below it: at least four equal samples in a row.
  std::size_t clipped = 0, run = 1, loud = 0;
  for (std::size_t i = 1; i < mono.size(); ++i) {
    const bool is_high = std::abs(mono[i]) > 0.5F;
    loud += is_high ? 1 : 0;
    run = is_high && std::abs(mono[i] - mono[i - 1]) < 1e-5F ? run + 1 : 1;
    if (run >= 4) ++clipped;
  }
  if (loud > 0 && static_cast<double>(clipped) > kMostClipped * static_cast<double>(mono.size())) {
    return Fault{"clipped", "its peaks are cut off (clipped recording)"};
  }
  return std::nullopt;
}

std::vector<Take> find_takes(std::span<const float> mono, double weakest_db) {
  const auto levels = levels_of(mono, kFrame);
  if (levels.empty()) return {};
  const double peak = highest(levels, 0, levels.size());
  if (peak < kSilentDbfs) return {};
  const auto onsets = find_onsets(mono, kRate);
  std::vector<Take> takes;
  for (const Stretch& stretch : stretches_over(levels, gate_of(levels, peak))) {
    if (highest(levels, stretch.begin, stretch.end) < peak - weakest_db) continue;
    std::vector<std::size_t> borders = later_attacks(levels, stretch, onsets);
    borders.insert(borders.begin(), stretch.begin);
    borders.push_back(stretch.end);
    for (std::size_t k = 0; k + 1 < borders.size(); ++k) {
      const std::size_t end = std::min(borders[k + 1] * kFrame, mono.size());
      takes.push_back(take_of(mono, borders[k] * kFrame, end));
    }
  }
  // A hum that fills the recording is no take of anything.
  const bool fills = takes.size() == 1 && takes[0].begin < kFrame &&
                     takes[0].end + kFrame >= mono.size() &&
                     takes[0].level_dbfs - levels.front() < 3 && levels.size() > 400;
  if (fills) takes.clear();
  return takes;
}

std::optional<Take> take_near(std::span<const float> mono, double onset_s) {
  constexpr double kNear = 0.1;
  std::optional<Take> best;
  constexpr double kAny = 60;  // somebody says that it is there
  for (const Take& take : find_takes(mono, kAny)) {
    const double away = std::abs(static_cast<double>(take.begin) / kRate - onset_s);
    const double known =
        best ? std::abs(static_cast<double>(best->begin) / kRate - onset_s) : kNear;
    if (away <= known) best = take;
  }
  return best;
}

SoundShape shape_of_takes(std::span<const float> mono, std::span<const Take> takes) {
  constexpr double kShort = 0.8, kLong = 3, kSteadyDb = 4, kHeardDb = 25;
  std::vector<double> lengths;
  for (const Take& take : takes) {
    const auto levels = levels_of(mono.subspan(take.begin, take.end - take.begin), kFrame);
    const double gate = highest(levels, 0, levels.size()) - kHeardDb;
    const auto heard =
        std::count_if(levels.begin(), levels.end(), [&](double l) { return l > gate; });
    lengths.push_back(0.005 * static_cast<double>(heard));
  }
  const auto levels = levels_of(mono, 20 * kFrame);
  double mean = 0, square = 0;
  for (const double l : levels) {
    mean += l / static_cast<double>(levels.size());
    square += l * l / static_cast<double>(levels.size());
  }
  const bool is_steady = std::sqrt(std::max(0.0, square - mean * mean)) < kSteadyDb;
  if (is_steady && static_cast<double>(mono.size()) > kLong * kRate) return SoundShape::kTexture;
  if (lengths.empty()) return SoundShape::kOneShot;
  std::nth_element(lengths.begin(), lengths.begin() + std::ssize(lengths) / 2, lengths.end());
  return lengths[lengths.size() / 2] < kShort ? SoundShape::kOneShot : SoundShape::kSustained;
}

std::vector<Take> texture_pieces(std::span<const float> mono, std::size_t piece) {
  constexpr double kHeardDb = 30;
  std::vector<Take> pieces;
  const auto levels = levels_of(mono, kFrame);
  const double peak = highest(levels, 0, levels.size());
  // The ends are left out: there it fades, or begins.
  constexpr std::size_t kEdge = kRate / 5;
  for (std::size_t at = kEdge; at + piece + kEdge <= mono.size(); at += piece) {
    const double level =
        bundled::dbfs_of(std::max(bundled::loudest_rms(mono.subspan(at, piece)), 1e-9));
    if (level > peak - kHeardDb) pieces.push_back({at, at + piece, level});
  }
  return pieces;
}

std::vector<float> level_curve_of(std::span<const float> mono) {
  constexpr std::size_t kStep = kRate / 100;
  const auto levels = levels_of(mono, kStep);
  const double peak = highest(levels, 0, levels.size());
  std::vector<float> curve;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    double sum = 0;
    std::size_t count = 0;
    for (std::size_t k = i < 2 ? 0 : i - 2; k < std::min(i + 3, levels.size()); ++k, ++count) {
      sum += std::pow(10.0, (levels[k] - peak) / 10);
    }
    curve.push_back(
        static_cast<float>(std::clamp(std::sqrt(sum / static_cast<double>(count)), 0.0, 1.0)));
  }
  return curve;
}

}  // namespace qingyin::tuning
