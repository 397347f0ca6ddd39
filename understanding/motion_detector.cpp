#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/philox.h"
#include "understanding/frame_pacer.h"
#include "understanding/frame_sieve.h"
#include "understanding/motion_meter.h"
#include "understanding/shot_tracker.h"
#include "understanding/understanding.h"

namespace qingyin {
namespace {

constexpr std::int64_t kLongestSide = 320;
constexpr double kLeastSpacing = 0.022;  // seconds: 60 frames per second are read as 30
constexpr std::size_t kBatch = 16;       // pairs of frames measured together
constexpr std::uint64_t kSeed = 0;       // events' seeds differ by their ids

cv::Mat grey_picture(const Frame& frame) {
  require(frame.channels == 1 && frame.height > 0 && frame.width > 0 &&
              frame.pixels.size() == static_cast<std::size_t>(frame.height * frame.width),
          ErrorCode::kInternal, "understanding: a frame is not grey; open the clip with request()");
  cv::Mat picture(static_cast<int>(frame.height), static_cast<int>(frame.width), CV_8UC1);
  std::copy(frame.pixels.begin(), frame.pixels.end(), picture.data);
  return picture;
}

// One clip on its way through the detector.
class Run {
 public:
  Run(const MotionDetectorOptions& options, Seconds duration)
      : tracker_(options.sensitivity),
        meters_(static_cast<std::size_t>(std::max(1, options.threads))),
        duration_s_(duration.count()) {}

  void add(const Frame& frame);
  EventTimeline finish();

 private:
  void pace(std::vector<GreyFrame> frames);
  void accept(std::vector<GreyFrame> frames);
  void measure_batch();
  void collect();
  SoundEvent sound_of(const PickedEvent& picked) const;

  FrameSieve sieve_;
  FramePacer pacer_;
  ShotTracker tracker_;
  std::vector<MotionMeter> meters_;  // one per thread
  std::vector<GreyFrame> batch_;     // consecutive frames; the first is the last one of before
  double duration_s_;
  std::optional<double> last_time_s_;
  EventTimeline timeline_;
};

void Run::add(const Frame& frame) {
  const double time_s = frame.time.count();
  if (last_time_s_ && time_s < *last_time_s_ + kLeastSpacing) return;
  last_time_s_ = time_s;
  pace(sieve_.push(grey_picture(frame), time_s));
}

void Run::pace(std::vector<GreyFrame> frames) {
  for (GreyFrame& frame : frames) accept(pacer_.push(std::move(frame)));
}

void Run::accept(std::vector<GreyFrame> frames) {
  for (GreyFrame& frame : frames) {
    batch_.push_back(std::move(frame));
    if (batch_.size() > kBatch) measure_batch();
  }
}

// The pairs are independent of one another, so the number of threads changes no result.
void Run::measure_batch() {
  if (batch_.empty()) return;
  std::vector<MotionSample> samples(batch_.size() - 1);
  const auto work = [&](std::size_t first) {
    for (std::size_t i = first; i < samples.size(); i += meters_.size())
      if (!batch_[i + 1].after_cut) samples[i] = meters_[first].measure(batch_[i], batch_[i + 1]);
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t k = 1; k < meters_.size(); ++k) others.emplace_back(work, k);
    work(0);
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (batch_[i + 1].after_cut) {
      tracker_.end_shot(batch_[i + 1].time_s);
      timeline_.cuts.emplace_back(batch_[i + 1].time_s);
    } else {
      tracker_.add(samples[i]);
    }
  }
  batch_.erase(batch_.begin(), batch_.end() - 1);
  collect();
}

void Run::collect() {
  for (const PickedEvent& picked : tracker_.take()) timeline_.events.push_back(sound_of(picked));
}

SoundEvent Run::sound_of(const PickedEvent& picked) const {
  SoundEvent event;
  event.label = "impact";
  event.lane = "impacts";
  event.onset = Seconds(std::clamp(picked.time_s, 0.0, duration_s_));
  event.offset = Seconds(std::clamp(picked.end_s, event.onset.count(), duration_s_));
  event.intensity = picked.intensity;
  event.position = {{picked.x, picked.y}};
  event.confidence = picked.confidence;
  event.source = "motion";
  return event;
}

EventTimeline Run::finish() {
  pace(sieve_.finish());
  accept(pacer_.finish());
  measure_batch();
  tracker_.end_shot(duration_s_);
  collect();
  std::ranges::stable_sort(timeline_.events, {}, &SoundEvent::onset);
  for (std::size_t i = 0; i < timeline_.events.size(); ++i) {
    SoundEvent& event = timeline_.events[i];
    event.id = "e" + std::to_string(i + 1);
    event.seed = derive_seed(kSeed, event.id);
  }
  timeline_.made_by = {.program = "qingyin", .version = {}, .detector = "motion/1", .models = {}};
  return std::move(timeline_);
}

class MotionDetector : public Understanding {
 public:
  explicit MotionDetector(const MotionDetectorOptions& options) : options_(options) {}

  FrameRequest request() const override {
    return {.rate = {},
            .longest_side = kLongestSide,
            .color = FrameColor::kGrey,
            .decode_threads = std::max(1, options_.threads)};
  }

 private:
  EventTimeline do_describe(FrameReader& frames, const Progress& progress) const override {
    const Seconds duration = frames.clip().duration;
    Run run(options_, duration);
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
};

}  // namespace

std::unique_ptr<Understanding> make_motion_detector(const MotionDetectorOptions& options) {
  require(options.sensitivity >= 0 && options.sensitivity <= 1, ErrorCode::kUsage,
          "understanding: sensitivity is " + std::to_string(options.sensitivity) +
              "; expected a number from 0 to 1");
  require(options.threads >= 1 && options.threads <= 256, ErrorCode::kUsage,
          "understanding: " + std::to_string(options.threads) +
              " threads; expected a number from 1 to 256");
  // OpenCV's flow splits the picture by its own thread count, which changes the field; pairs of
  // frames are shared out between threads here instead.
  cv::setNumThreads(1);
  return std::make_unique<MotionDetector>(options);
}

}  // namespace qingyin
