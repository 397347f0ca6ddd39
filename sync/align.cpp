#include "sync/align.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "core/dsp/onset.h"
#include "core/dsp/resample.h"
#include "core/error.h"
#include "sync/stem_block.h"

namespace qingyin {
namespace {

constexpr Seconds kSearchAfterLead(0.15);
constexpr Seconds kFadeIn(0.003);
constexpr Seconds kRelease(0.15);
constexpr Seconds kFadeEnd(0.01);

/// 0 to 1 over [0, 1], level at both ends.
float smooth_step(double x) {
  return static_cast<float>(0.5 - 0.5 * std::cos(std::numbers::pi * std::clamp(x, 0.0, 1.0)));
}

std::optional<Seconds> attack_of(std::span<const float> mono, Seconds lead, int sample_rate_hz) {
  const auto reach = static_cast<std::size_t>(samples_for(lead + kSearchAfterLead, sample_rate_hz));
  return sound_start(mono.first(std::min(mono.size(), reach)), sample_rate_hz);
}

void fade_in(std::span<float> head) {
  for (std::size_t n = 0; n < head.size(); ++n)
    head[n] *= smooth_step((static_cast<double>(n) + 0.5) / static_cast<double>(head.size()));
}

void fade_out(std::span<float> tail) {
  for (std::size_t n = 0; n < tail.size(); ++n)
    tail[n] *= smooth_step(1 - (static_cast<double>(n) + 0.5) / static_cast<double>(tail.size()));
}

/// Ends the samples smoothly: from sample `release` on if they last so long, at their end else.
void end_smoothly(std::vector<float>& samples, std::optional<std::int64_t> release) {
  const auto length = static_cast<std::int64_t>(samples.size());
  const std::int64_t fade = samples_for(kRelease, kOutputRateHz);
  if (release && *release + fade <= length) {
    samples.resize(static_cast<std::size_t>(*release + fade));
    fade_out(std::span(samples).last(static_cast<std::size_t>(fade)));
    return;
  }
  // What is shorter than release and fade together ends by itself, as does what rings out.
  const std::int64_t end_fade = samples_for(kFadeEnd, kOutputRateHz);
  const std::int64_t longest = release ? std::max(length - *release, end_fade) : end_fade;
  fade_out(std::span(samples).last(static_cast<std::size_t>(std::min(length, longest))));
}

void check(const EventSound& sound, const Placement& wanted) {
  require(sound.audio.channels == 1 && sound.audio.sample_rate_hz > 0, ErrorCode::kInternal,
          "sync: the sound of an event is mono");
  require(wanted.onset >= Seconds(0) && sound.lead >= Seconds(0) &&
              wanted.release.value_or(wanted.onset) >= wanted.onset,
          ErrorCode::kInternal, "sync: a sound cannot be placed before the clip or end too early");
}

}  // namespace

std::optional<Seconds> measure_onset(const EventSound& sound) {
  return attack_of(sound.audio.samples, sound.lead, sound.audio.sample_rate_hz);
}

PlacedSound align(const EventSound& sound, const Placement& wanted) {
  check(sound, wanted);
  std::vector<float> samples = resample(sound.audio, kOutputRateHz).samples;
  const std::optional<Seconds> attack = attack_of(samples, sound.lead, kOutputRateHz);
  const std::int64_t onset = samples_for(wanted.onset, kOutputRateHz);

  // Everything up to 3 ms before the attack goes; at the very start of the clip even more.
  const std::int64_t attack_at = samples_for(attack.value_or(sound.lead), kOutputRateHz);
  const std::int64_t head = std::min({samples_for(kFadeIn, kOutputRateHz), attack_at, onset});
  const std::int64_t cut = std::min(attack_at - head, static_cast<std::int64_t>(samples.size()));
  samples.erase(samples.begin(), samples.begin() + cut);
  fade_in(std::span(samples).first(
      static_cast<std::size_t>(std::min(head, static_cast<std::int64_t>(samples.size())))));

  PlacedSound placed{.samples = std::move(samples), .start = onset - head, .onset = std::nullopt};
  std::optional<std::int64_t> release;
  if (wanted.release) release = samples_for(*wanted.release, kOutputRateHz) - placed.start;
  end_smoothly(placed.samples, release);
  if (attack) {
    const Seconds start(static_cast<double>(placed.start) / kOutputRateHz);
    const auto found = attack_of(placed.samples, wanted.onset - start, kOutputRateHz);
    if (found) placed.onset = start + *found;
  }
  return placed;
}

}  // namespace qingyin
