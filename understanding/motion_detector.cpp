#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.h"
#include "core/philox.h"
#include "understanding/event_roll.h"
#include "understanding/motion_stream.h"
#include "understanding/roll_view.h"
#include "understanding/shot_tracker.h"
#include "understanding/sustained_finder.h"
#include "understanding/understanding.h"

namespace qingyin {
namespace {

constexpr std::uint64_t kSeed = 0;  // events' seeds differ by their ids

const char* lane_of(LastingKind kind) {
  switch (kind) {
    case LastingKind::kStream:
    case LastingKind::kFire:
      return "nature";
    case LastingKind::kWhoosh:
      return "whooshes";
    default:
      return "foley";
  }
}

// One clip on its way through the detector.
class Run {
 public:
  /// @param network  null: none
  Run(const MotionDetectorOptions& options, const RollNetwork* network, Seconds duration)
      : options_(options),
        network_(network),
        stream_(options.threads, network == nullptr ? Measure::kSamples : Measure::kSamplesAndMaps),
        tracker_(options.sensitivity, network != nullptr),
        duration_s_(duration.count()) {
    if (network != nullptr) roll_.emplace(*network);
  }

  void add(const Frame& frame) { follow(stream_.push(frame)); }
  EventTimeline finish();

 private:
  void follow(const std::vector<MotionItem>& items);
  void follow(const MotionSample& sample);
  void follow(const MotionMap& map);
  void follow(const SceneCut& cut);
  void end_shot(double end_s);
  void read_roll();
  void collect();
  const char* source() const { return network_ == nullptr ? "motion" : "motion+network"; }
  SoundEvent sound_of(const PickedEvent& picked) const;
  SoundEvent sound_of(const SustainedMotion& motion) const;
  void add_sustained();

  MotionDetectorOptions options_;
  const RollNetwork* network_;
  MotionStream stream_;
  ShotTracker tracker_;
  SustainedFinder sustained_;
  std::optional<RollStream> roll_;
  LastingView lasting_;
  double duration_s_;
  EventTimeline timeline_;
};

void Run::follow(const std::vector<MotionItem>& items) {
  for (const MotionItem& item : items) std::visit([this](const auto& one) { follow(one); }, item);
  collect();
}

void Run::follow(const MotionSample& sample) {
  tracker_.add(sample);
  sustained_.add(sample);
}

void Run::follow(const MotionMap& map) {
  roll_->add(map);
  read_roll();
}

void Run::follow(const SceneCut& cut) {
  end_shot(cut.time_s);
  timeline_.cuts.emplace_back(cut.time_s);
}

void Run::end_shot(double end_s) {
  if (roll_) {
    roll_->end_shot();
    read_roll();
  }
  tracker_.end_shot(end_s);
  sustained_.end_shot();
}

void Run::read_roll() {
  std::vector<RollStep> steps = roll_->take();
  for (const RollStep& step : steps) lasting_.add(step);
  tracker_.add(std::move(steps));
}

void Run::collect() {
  for (const PickedEvent& picked : tracker_.take()) timeline_.events.push_back(sound_of(picked));
}

// A start that fills the picture with light is an explosion. What else starts or stops at once is
// what the network calls it where it is sure, and otherwise taken for an impact, which a person or
// a recogniser may rename.
SoundEvent Run::sound_of(const PickedEvent& picked) const {
  constexpr double kWide = 0.4, kBrighter = 12;
  const bool blast =
      picked.cause == EventCause::kStart && picked.area > kWide && picked.brighter > kBrighter;
  const OnsetKind kind = blast ? OnsetKind::kExplosion : picked.kind;
  SoundEvent event;
  event.label = kOnsetLabels[static_cast<std::size_t>(kind)];
  const bool struck = kind == OnsetKind::kImpact || kind == OnsetKind::kExplosion;
  event.lane = struck ? "impacts" : "foley";
  event.onset = Seconds(std::clamp(picked.time_s, 0.0, duration_s_));
  event.offset = Seconds(std::clamp(picked.end_s, event.onset.count(), duration_s_));
  event.intensity = picked.intensity;
  event.position = {{picked.x, picked.y}};
  event.confidence = picked.confidence;
  event.source = source();
  return event;
}

// What the network is sure of; else what travels rolls, and what stays in place rubs.
SoundEvent Run::sound_of(const SustainedMotion& motion) const {
  constexpr double kTravels = 0.5, kConfidence = 0.2;
  constexpr double kWeak = 10, kStrong = 1000;  // grey levels per second
  SoundEvent event;
  event.label = motion.travel > kTravels ? "rolling" : "scrape";
  event.lane = "foley";
  if (const auto kind = lasting_.sure_kind(motion.begin_s, motion.end_s)) {
    event.label = kLastingLabels[static_cast<std::size_t>(*kind)];
    event.lane = lane_of(*kind);
  }
  event.onset = Seconds(std::clamp(motion.begin_s, 0.0, duration_s_));
  event.offset = Seconds(std::clamp(motion.end_s, event.onset.count(), duration_s_));
  event.intensity =
      std::clamp(std::log(motion.strength / kWeak) / std::log(kStrong / kWeak), 0.0, 1.0);
  event.position = {{motion.x, motion.y}};
  event.confidence = kConfidence;
  event.source = source();
  for (std::size_t i = 0; i < motion.levels.size(); ++i)
    event.envelope.push_back(
        {Seconds((static_cast<double>(i) + 0.5) * motion.step_s), motion.levels[i]});
  return event;
}

// A stretch full of events is those events, not one that lasts.
void Run::add_sustained() {
  constexpr double kMostEvents = 0.5;  // per second
  std::vector<SoundEvent> lasting;
  for (const SustainedMotion& motion : sustained_.found()) {
    const auto inside = std::ranges::count_if(timeline_.events, [&](const SoundEvent& e) {
      return e.onset.count() >= motion.begin_s && e.onset.count() < motion.end_s;
    });
    if (static_cast<double>(inside) <= kMostEvents * (motion.end_s - motion.begin_s))
      lasting.push_back(sound_of(motion));
  }
  timeline_.events.insert(timeline_.events.end(), lasting.begin(), lasting.end());
}

EventTimeline Run::finish() {
  follow(stream_.finish());
  end_shot(duration_s_);
  collect();
  if (options_.find_sustained) add_sustained();
  std::ranges::stable_sort(timeline_.events, {}, &SoundEvent::onset);
  for (std::size_t i = 0; i < timeline_.events.size(); ++i) {
    SoundEvent& event = timeline_.events[i];
    event.id = "e" + std::to_string(i + 1);
    event.seed = derive_seed(kSeed, event.id);
  }
  timeline_.made_by = {.program = "qingyin", .version = {}, .detector = "motion/1", .models = {}};
  if (network_ != nullptr) {
    timeline_.made_by.detector = "motion+network/1";
    timeline_.made_by.models["detector"] = network_->sha256();
    for (const auto& [name, hash] : network_->adapters()) timeline_.made_by.models[name] = hash;
  }
  return std::move(timeline_);
}

class MotionDetector : public Understanding {
 public:
  explicit MotionDetector(const MotionDetectorOptions& options) : options_(options) {
    if (!options.network.empty())
      network_ = std::make_unique<RollNetwork>(options.network, options.adapters);
  }

  FrameRequest request() const override {
    return {.rate = {},
            .longest_side = MotionStream::kLongestSide,
            .color = FrameColor::kGrey,
            .decode_threads = std::max(1, options_.threads)};
  }

 private:
  EventTimeline do_describe(FrameReader& frames, const Progress& progress) const override {
    const Seconds duration = frames.clip().duration;
    Run run(options_, network_.get(), duration);
    report(progress, "understand", 0);
    while (const std::optional<Frame> frame = frames.next()) {
      run.add(*frame);
      report(progress, "understand", std::clamp(frame->time / duration, 0.0, 1.0));
    }
    EventTimeline timeline = run.finish();
    report(progress, "understand", 1);
    return timeline;
  }

  MotionDetectorOptions options_;
  std::unique_ptr<const RollNetwork> network_;
};

}  // namespace

std::unique_ptr<Understanding> make_motion_detector(const MotionDetectorOptions& options) {
  require(options.sensitivity >= 0 && options.sensitivity <= 1, ErrorCode::kUsage,
          "understanding: sensitivity is " + std::to_string(options.sensitivity) +
              "; expected a number from 0 to 1");
  require(options.threads >= 1 && options.threads <= 256, ErrorCode::kUsage,
          "understanding: " + std::to_string(options.threads) +
              " threads; expected a number from 1 to 256");
  return std::make_unique<MotionDetector>(options);
}

}  // namespace qingyin
