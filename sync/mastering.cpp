#include "sync/mastering.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.h"
#include "sync/spool.h"

namespace qingyin {
namespace {

constexpr double kNearlySilentLufs = -60;
constexpr double kToleranceLu = 0.5;     // of a delivery
constexpr double kCloseEnoughLu = 0.05;  // ends the search for the gain
constexpr double kMostPush = 6;          // dB past the plain gain, to make up for the limiter
constexpr int kMostSearches = 4;

float factor(double db) { return static_cast<float>(std::pow(10, db / 20)); }

void scale(StemBlock& block, float gain) {
  if (gain == 1.0F) return;
  for (auto& stem : block.stems)
    for (float& sample : stem) sample *= gain;
}

/// Gain and limiter of all stems; hands out what the limiter has decided.
class Output {
 public:
  Output(double gain_db, double ceiling_dbtp, Mastering::Sink sink)
      : gain_(factor(gain_db)),
        limiter_({.sample_rate_hz = kOutputRateHz, .channels = 2, .ceiling_dbtp = ceiling_dbtp}),
        meter_(kOutputRateHz, 2),
        sink_(std::move(sink)) {}

  void add(StemBlock block) {
    scale(block, gain_);
    const std::vector<float> gains = limiter_.push(sum_of(block));
    if (held_.stems.empty()) held_.stems.resize(block.stems.size());
    for (std::size_t i = 0; i < block.stems.size(); ++i)
      held_.stems[i].insert(held_.stems[i].end(), block.stems[i].begin(), block.stems[i].end());
    hand_out(gains);
  }

  void finish() { hand_out(limiter_.finish()); }

  LoudnessFigures figures() const { return meter_.figures(); }
  double limiter_db() const { return limiter_.largest_reduction_db(); }

 private:
  void hand_out(std::span<const float> gains) {
    if (gains.empty()) return;
    StemBlock block{.length = std::ssize(gains), .stems = {}};
    for (auto& stem : held_.stems) {
      const auto end = stem.begin() + 2 * block.length;
      auto& out = block.stems.emplace_back(stem.begin(), end);
      stem.erase(stem.begin(), end);
      for (std::size_t n = 0; n < out.size(); ++n) out[n] *= gains[n / 2];
    }
    const std::vector<float> mix = sum_of(block);
    meter_.add(mix);
    if (sink_) sink_(mix, block);
  }

  float gain_;
  Limiter limiter_;
  LoudnessMeter meter_;
  Mastering::Sink sink_;
  StemBlock held_;  // waits for the limiter
};

}  // namespace

const std::vector<LoudnessTarget>& loudness_targets() {
  static const std::vector<LoudnessTarget> targets = {
      {"none", std::nullopt, -3}, {"ebu-r128", -23, -1}, {"atsc-a85", -24, -2},
      {"netflix", -27, -2},       {"youtube", -14, -1},  {"spotify", -14, -1},
      {"podcast", -16, -1}};
  return targets;
}

LoudnessTarget loudness_target(std::string_view name) {
  std::string names;
  for (const LoudnessTarget& target : loudness_targets()) {
    if (target.name == name) return target;
    names += (names.empty() ? "" : ", ") + target.name;
  }
  throw Error(ErrorCode::kUsage, "sync: there is no loudness target " + std::string(name) +
                                     "; expected one of " + names);
}

struct Mastering::State {
  LoudnessTarget target;
  Sink sink;
  LoudnessMeter before{kOutputRateHz, 2};
  std::optional<Spool> spool;    // with a loudness target
  std::optional<Output> output;  // without one, from the first sample on
  std::optional<std::size_t> stem_count;
  MasteringReport report;

  void replay(Output& to) {
    spool->rewind();
    for (StemBlock block = spool->read(); block.length > 0; block = spool->read())
      to.add(std::move(block));
    to.finish();
  }

  /// The gain that brings the limited mix to the target. The limiter takes loudness away, so where
  /// it acts the gain is searched for by measuring.
  double find_gain(double wanted_lufs) {
    const LoudnessFigures& found = report.before;
    if (!(found.integrated_lufs > kNearlySilentLufs)) {
      report.note = "too short or too quiet for a loudness: the level was left as it is";
      return 0;
    }
    const double plain_db = wanted_lufs - found.integrated_lufs;
    if (found.true_peak_dbtp + plain_db <= target.ceiling_dbtp) return plain_db;

    // The harder the limiter works, the less a step of gain brings: the secant method.
    double gain_db = plain_db, slope = 1, last_gain = 0, last_missing = 0;
    for (int i = 0; i < kMostSearches; ++i) {
      Output trial(gain_db, target.ceiling_dbtp, nullptr);
      replay(trial);
      const double missing = wanted_lufs - trial.figures().integrated_lufs;
      if (i > 0) slope = std::clamp((last_missing - missing) / (gain_db - last_gain), 0.1, 1.0);
      last_gain = std::exchange(gain_db, std::min(gain_db + missing / slope, plain_db + kMostPush));
      last_missing = missing;
      if (std::abs(missing) < kCloseEnoughLu || gain_db == last_gain) return last_gain;
    }
    return gain_db;
  }
};

Mastering::Mastering(LoudnessTarget target, const std::filesystem::path& spool_folder, Sink sink)
    : state_(std::make_unique<State>()) {
  state_->target = std::move(target);
  state_->sink = std::move(sink);
  if (state_->target.integrated_lufs)
    state_->spool.emplace(spool_folder);
  else
    state_->output.emplace(0, state_->target.ceiling_dbtp, state_->sink);
}

Mastering::~Mastering() = default;

void Mastering::add(StemBlock block) {
  State& state = *state_;
  if (block.length == 0) return;
  if (!state.stem_count) state.stem_count = block.stems.size();
  require(*state.stem_count == block.stems.size(), ErrorCode::kInternal,
          "sync: the number of stems changed on the way");
  for (const auto& stem : block.stems)
    require(std::ssize(stem) == 2 * block.length, ErrorCode::kInternal,
            "sync: a stem is longer or shorter than its block");
  state.before.add(sum_of(block));
  if (state.spool)
    state.spool->write(block);
  else
    state.output->add(std::move(block));
}

MasteringReport Mastering::finish() {
  State& state = *state_;
  MasteringReport& report = state.report;
  report.before = state.before.figures();
  if (state.spool) {
    report.gain_db = state.find_gain(*state.target.integrated_lufs);
    state.output.emplace(report.gain_db, state.target.ceiling_dbtp, state.sink);
    state.replay(*state.output);
  } else {
    state.output->finish();
  }
  report.after = state.output->figures();
  report.limiter_db = state.output->limiter_db();
  if (state.target.integrated_lufs) {
    report.is_target_met =
        std::abs(report.after.integrated_lufs - *state.target.integrated_lufs) <= kToleranceLu;
    if (!report.is_target_met && report.note.empty())
      report.note =
          "short peaks stand far above the rest: the target lies past what the ceiling allows";
  }
  return report;
}

}  // namespace qingyin
