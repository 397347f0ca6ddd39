#include "core/media/picture_times.h"

#include <algorithm>
#include <cmath>

namespace qingyin::media {
namespace {

// H.264 and HEVC reorder over at most 16 frames.
constexpr std::size_t kReorderWindow = 64;

}  // namespace

PictureTimes::PictureTimes(AVRational time_base, const std::vector<AVRational>& candidates,
                           AVRational average) {
  if (average.num > 0 && average.den > 0 && time_base.num > 0) {
    average_ticks_ = av_q2d(av_inv_q(av_mul_q(average, time_base)));
  }
  for (const AVRational& rate : candidates) {
    if (rate.num <= 0 || rate.den <= 0 || time_base.num <= 0) continue;
    candidates_.push_back({rate, av_q2d(av_inv_q(av_mul_q(rate, time_base))), true});
  }
}

void PictureTimes::add(std::int64_t pts, std::int64_t duration) {
  if (started_) {
    accept(pts, duration);
  } else {
    before_start_.push_back({pts, duration});
  }
}

void PictureTimes::start_at(std::int64_t pts) {
  started_ = true;
  start_ = last_ = pts;
  for (const Waiting& packet : before_start_) accept(packet.pts, packet.duration);
  before_start_ = {};
}

void PictureTimes::accept(std::int64_t pts, std::int64_t duration) {
  if (pts < start_) return;
  ++count_;
  if (pts >= last_) {
    last_ = pts;
    last_duration_ = std::max<std::int64_t>(duration, 0);
  }
  reorder_.push(pts);
  if (reorder_.size() <= kReorderWindow) return;
  check(reorder_.top());
  reorder_.pop();
}

void PictureTimes::finish() {
  for (; !reorder_.empty(); reorder_.pop()) check(reorder_.top());
}

void PictureTimes::check(std::int64_t pts) {
  const auto frame = static_cast<double>(checked_++);
  const auto time = static_cast<double>(pts - start_);
  if (average_ticks_ > 0) {
    const std::int64_t grid = std::llround(time / average_ticks_);
    if (grid == grid_) ++crowded_;
    grid_ = grid;
  }
  for (Candidate& candidate : candidates_) {
    if (std::abs(time - frame * candidate.ticks_per_frame) > 1.0) candidate.fits = false;
  }
}

std::int64_t PictureTimes::length(std::int64_t fallback) const {
  std::int64_t final_frame = last_duration_;
  if (final_frame == 0) final_frame = count_ > 1 ? (last_ - start_) / (count_ - 1) : fallback;
  return last_ - start_ + std::max<std::int64_t>(final_frame, 1);
}

FrameRate PictureTimes::rate() const {
  for (const Candidate& candidate : candidates_) {
    if (candidate.fits) return {candidate.rate.num, candidate.rate.den};
  }
  return {};
}

}  // namespace qingyin::media
