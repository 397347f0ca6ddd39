#include "sync/original_sound.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "core/error.h"

namespace qingyin {
namespace {

constexpr double kDuckDb = -12;
constexpr float kSounding = 0.0031623F;                      // -50 dBFS
constexpr std::int64_t kHold = kOutputRateHz / 20;           // 50 ms, longer than any period
constexpr double kAttackDb = 12.0 / (kOutputRateHz * 0.02);  // per sample
constexpr double kReleaseDb = 12.0 / (kOutputRateHz * 0.3);

/// Gains of the original, `OriginalMixer::kLookAhead` samples behind the effects.
class Ducker {
 public:
  float next(float effects_peak) {
    if (effects_peak > kSounding) sounding_until_ = now_ + OriginalMixer::kLookAhead + kHold;
    const bool is_down = now_ <= sounding_until_;
    gain_db_ =
        is_down ? std::max(kDuckDb, gain_db_ - kAttackDb) : std::min(0.0, gain_db_ + kReleaseDb);
    ++now_;
    return gain_db_ == 0 ? 1.0F : static_cast<float>(std::pow(10, gain_db_ / 20));
  }

 private:
  std::int64_t now_ = 0, sounding_until_ = -1;
  double gain_db_ = 0;
};

void append(std::vector<float>& to, std::span<const float> from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

OriginalSound original_sound_named(std::string_view name) {
  if (name == "keep") return OriginalSound::kKeep;
  if (name == "duck") return OriginalSound::kDuck;
  if (name == "replace") return OriginalSound::kReplace;
  throw Error(ErrorCode::kUsage,
              "sync: the original sound can be kept, ducked or replaced; expected "
              "keep, duck or replace, not " +
                  std::string(name));
}

struct OriginalMixer::State {
  OriginalSound mode;
  std::vector<std::size_t> ducking_stems;
  Ducker ducker;
  StemBlock held;  // effects and original that wait for their gain
  std::int64_t seen = 0;

  /// One gain per sample of the block, for samples kLookAhead earlier.
  std::vector<float> gains_for(const StemBlock& effects) {
    std::vector<float> gains;
    for (std::size_t n = 0; n < static_cast<std::size_t>(effects.length); ++n) {
      float left = 0, right = 0;
      for (const std::size_t stem : ducking_stems) {
        left += effects.stems[stem][2 * n];
        right += effects.stems[stem][2 * n + 1];
      }
      const float gain = ducker.next(std::max(std::abs(left), std::abs(right)));
      if (seen++ >= kLookAhead) gains.push_back(gain);
    }
    return gains;
  }

  void hold(const StemBlock& effects, std::span<const float> original) {
    held.stems.resize(effects.stems.size() + 1);
    for (std::size_t i = 0; i < effects.stems.size(); ++i) append(held.stems[i], effects.stems[i]);
    append(held.stems.back(), original);
    held.length += effects.length;
  }

  StemBlock release(std::span<const float> gains) {
    StemBlock block{.length = static_cast<std::int64_t>(gains.size()), .stems = {}};
    for (auto& stem : held.stems) {
      const auto end = stem.begin() + 2 * block.length;
      block.stems.emplace_back(stem.begin(), end);
      stem.erase(stem.begin(), end);
    }
    held.length -= block.length;
    for (std::size_t n = 0; n < gains.size(); ++n) {
      block.stems.back()[2 * n] *= gains[n];
      block.stems.back()[2 * n + 1] *= gains[n];
    }
    return block;
  }
};

OriginalMixer::OriginalMixer(OriginalSound mode, std::vector<std::size_t> ducking_stems)
    : state_(new State{mode, std::move(ducking_stems), {}, {}}) {}

OriginalMixer::~OriginalMixer() = default;

StemBlock OriginalMixer::push(StemBlock effects, std::span<const float> original) {
  State& state = *state_;
  if (state.mode == OriginalSound::kReplace) return effects;
  require(static_cast<std::int64_t>(original.size()) == 2 * effects.length, ErrorCode::kInternal,
          "sync: the original sound and the effects come in equal lengths");
  if (state.mode == OriginalSound::kKeep) {
    effects.stems.emplace_back(original.begin(), original.end());
    return effects;
  }
  for (const std::size_t stem : state.ducking_stems)
    require(stem < effects.stems.size(), ErrorCode::kInternal, "sync: no such stem to duck by");
  const std::vector<float> gains = state.gains_for(effects);
  state.hold(effects, original);
  return state.release(gains);
}

StemBlock OriginalMixer::finish() {
  State& state = *state_;
  if (state.held.length == 0) return {.length = 0, .stems = std::move(state.held.stems)};
  // Silence after the end, until the last gain is known.
  StemBlock silence{.length = kLookAhead, .stems = {}};
  silence.stems.assign(state.held.stems.size() - 1,
                       std::vector<float>(static_cast<std::size_t>(2 * kLookAhead)));
  std::vector<float> gains = state.gains_for(silence);
  gains.erase(gains.begin(), gains.end() - std::min(state.held.length, std::ssize(gains)));
  return state.release(gains);
}

}  // namespace qingyin
