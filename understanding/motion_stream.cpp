#include "understanding/motion_stream.h"

#include <algorithm>
#include <iterator>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "core/error.h"
#include "understanding/frame_pacer.h"
#include "understanding/frame_sieve.h"
#include "understanding/motion_meter.h"

namespace qingyin {
namespace {

constexpr double kLeastSpacing = 0.022;  // seconds
constexpr std::size_t kBatch = 16;       // pairs of frames measured together

cv::Mat grey_picture(const Frame& frame) {
  require(frame.channels == 1 && frame.height > 0 && frame.width > 0 &&
              frame.pixels.size() == static_cast<std::size_t>(frame.height * frame.width),
          ErrorCode::kInternal, "understanding: a frame is not grey; open the clip with request()");
  cv::Mat picture(static_cast<int>(frame.height), static_cast<int>(frame.width), CV_8UC1);
  std::copy(frame.pixels.begin(), frame.pixels.end(), picture.data);
  return picture;
}

SmallPicture small_picture(const cv::Mat& picture) {
  return shrink({picture.data, picture.total()}, picture.cols, picture.rows, picture.step);
}

MotionMap map_between(const GreyFrame& before, const GreyFrame& after) {
  return map_motion(small_picture(before.picture), small_picture(after.picture), before.time_s,
                    after.time_s);
}

}  // namespace

struct MotionStream::State {
  State(int threads, Measure wanted) : measure(wanted), meters(static_cast<std::size_t>(threads)) {}

  void pace(std::vector<GreyFrame> frames);
  void accept(std::vector<GreyFrame> frames);
  void measure_batch();

  Measure measure;
  FrameSieve sieve;
  FramePacer pacer;
  std::vector<MotionMeter> meters;  // one per thread
  std::vector<GreyFrame> batch;     // consecutive frames; the first is the last one of before
  std::optional<double> last_time_s;
  cv::Size size;
  std::vector<MotionItem> settled;
};

void MotionStream::State::pace(std::vector<GreyFrame> frames) {
  for (GreyFrame& frame : frames) accept(pacer.push(std::move(frame)));
}

void MotionStream::State::accept(std::vector<GreyFrame> frames) {
  for (GreyFrame& frame : frames) {
    batch.push_back(std::move(frame));
    if (batch.size() > kBatch) measure_batch();
  }
}

void MotionStream::State::measure_batch() {
  if (batch.empty()) return;
  const bool with_maps = measure == Measure::kSamplesAndMaps;
  std::vector<MotionSample> samples(batch.size() - 1);
  std::vector<MotionMap> maps(with_maps ? samples.size() : 0);
  const auto work = [&](std::size_t first) {
    for (std::size_t i = first; i < samples.size(); i += meters.size()) {
      if (batch[i + 1].after_cut) continue;
      samples[i] = meters[first].measure(batch[i], batch[i + 1]);
      if (with_maps) maps[i] = map_between(batch[i], batch[i + 1]);
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t k = 1; k < meters.size(); ++k) others.emplace_back(work, k);
    work(0);
  }
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (batch[i + 1].after_cut) {
      settled.emplace_back(SceneCut{batch[i + 1].time_s});
      continue;
    }
    settled.emplace_back(samples[i]);
    if (with_maps) settled.emplace_back(maps[i]);
  }
  batch.erase(batch.begin(), batch.end() - 1);
}

MotionStream::MotionStream(int threads, Measure measure) {
  require(threads >= 1, ErrorCode::kUsage, "understanding: needs at least one thread");
  // OpenCV's flow splits the picture by its own thread count, which changes the field.
  cv::setNumThreads(1);
  state_ = std::make_unique<State>(threads, measure);
}

MotionStream::~MotionStream() = default;

std::vector<MotionItem> MotionStream::push(const Frame& frame) {
  State& s = *state_;
  const double time_s = frame.time.count();
  if (s.last_time_s && time_s < *s.last_time_s + kLeastSpacing) return {};
  s.last_time_s = time_s;
  cv::Mat picture = grey_picture(frame);
  if (s.size.empty()) s.size = picture.size();
  if (picture.size() != s.size) cv::resize(picture, picture, s.size, 0, 0, cv::INTER_AREA);
  s.pace(s.sieve.push(picture, time_s));
  return std::exchange(s.settled, {});
}

std::vector<MotionItem> MotionStream::finish() {
  State& s = *state_;
  s.pace(s.sieve.finish());
  s.accept(s.pacer.finish());
  s.measure_batch();
  return std::exchange(s.settled, {});
}

}  // namespace qingyin
