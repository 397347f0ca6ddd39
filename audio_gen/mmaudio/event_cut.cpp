#include "audio_gen/mmaudio/event_cut.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace qingyin::mmaudio {
namespace {

constexpr double kLeadSeconds = 0.03;                          // heard before the attack
constexpr double kDecaySeconds = 1.5;                          // of a short sound, after its attack
constexpr double kRingSeconds = 0.5;                           // of a lasting one, after its offset
constexpr double kBeforeSeconds = 0.06, kAfterSeconds = 0.04;  // that an attack is measured on
constexpr double kNextAttackSeconds = 0.15;                    // the soonest
constexpr double kNextRiseDb = 8, kNextBelowDb = 10;  // of an attack that ends the sound before it
constexpr double kSearchSeconds = 0.4;                // around where a sound is expected
constexpr double kBeginDb = 20;  // below the loudest frame: a lasting sound has begun

/// Level of each frame, in dB.
std::vector<double> levels_of(std::span<const float> log_mel, const SoundFormat& format) {
  // The 16 kHz spectrograms are decimal logarithms, the 44.1 kHz ones natural.
  const double base = format.sample_rate_hz == 16000 ? std::numbers::ln10 : 1;
  const auto bands = static_cast<std::size_t>(format.bands);
  std::vector<double> levels;
  for (std::size_t f = 0; f + bands <= log_mel.size(); f += bands) {
    double power = 1e-12;
    for (const float v : log_mel.subspan(f, bands)) power += std::exp(2 * base * v);
    levels.push_back(10 * std::log10(power));
  }
  return levels;
}

double mean(const std::vector<double>& levels, std::int64_t from, std::int64_t to) {
  from = std::max<std::int64_t>(from, 0);
  to = std::min(to, std::ssize(levels));
  if (from >= to) return levels.front();
  double sum = 0;
  for (std::int64_t f = from; f < to; ++f) sum += levels[static_cast<std::size_t>(f)];
  return sum / static_cast<double>(to - from);
}

}  // namespace

EventCut cut_event(std::span<const float> log_mel, const SoundFormat& format, Seconds length,
                   bool is_sustained, std::optional<Seconds> expected) {
  const auto frames_of = [&](double seconds) {
    return std::max<std::int64_t>(
        1, std::llround(seconds * format.sample_rate_hz / static_cast<double>(format.hop)));
  };
  const auto levels = levels_of(log_mel, format);
  const std::int64_t frames = std::ssize(levels), lead = frames_of(kLeadSeconds);
  const auto cut = [&](std::int64_t attack, std::int64_t end) {
    return EventCut{std::max<std::int64_t>(0, attack - lead), attack, std::min(end, frames)};
  };
  // Where the sound may begin: [earliest, latest).
  const auto frame_at = [&](double seconds) {
    return std::clamp<std::int64_t>(seconds <= 0 ? 0 : frames_of(seconds), 0, frames - 1);
  };
  const std::int64_t earliest = expected ? frame_at(expected->count() - kSearchSeconds) : 0;
  const std::int64_t latest = expected ? frame_at(expected->count() + kSearchSeconds) : frames;
  if (is_sustained) {
    const auto first = levels.begin() + earliest;
    const double loud = *std::max_element(first, levels.end()) - kBeginDb;
    const auto begun =
        std::find_if(first, levels.begin() + latest, [&](double level) { return level >= loud; });
    const std::int64_t wanted = frames_of(length.count() + kRingSeconds);
    // What begins so late that it is not long enough is taken from earlier on.
    const std::int64_t attack = std::clamp<std::int64_t>(
        begun - levels.begin(), 0, std::max<std::int64_t>(0, frames - wanted));
    return cut(attack, attack + wanted);
  }
  const std::int64_t before = frames_of(kBeforeSeconds), after = frames_of(kAfterSeconds);
  const auto rise = [&](std::int64_t f) {
    return mean(levels, f, f + after) - mean(levels, f - before, f);
  };
  const std::int64_t wanted = frames_of(length.count() + kDecaySeconds);
  const std::int64_t last = std::min(latest, std::max<std::int64_t>(1, frames - wanted));
  std::int64_t attack = std::min(earliest, frames - 1);
  double best = -1e9;
  for (std::int64_t f = std::max<std::int64_t>(1, earliest); f < last; ++f) {
    const double score = rise(f) + mean(levels, f, f + after);
    if (score > best) best = score, attack = f;
  }
  std::int64_t end = attack + wanted;
  const double loud = mean(levels, attack, attack + after) - kNextBelowDb;
  for (std::int64_t f = attack + frames_of(kNextAttackSeconds); f < std::min(end, frames); ++f) {
    if (rise(f) >= kNextRiseDb && mean(levels, f, f + after) >= loud) end = f - 1;
  }
  return cut(attack, end);
}

}  // namespace qingyin::mmaudio
