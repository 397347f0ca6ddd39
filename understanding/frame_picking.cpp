#include "understanding/frame_picking.h"

#include <algorithm>

namespace qingyin {
namespace {

/// Half of `n`, a half rounded to the even neighbour.
std::int64_t half_to_even(std::int64_t n) {
  const std::int64_t down = n / 2;
  return n % 2 != 0 && down % 2 != 0 ? down + 1 : down;
}

}  // namespace

std::int64_t FramePicker::answer(double seconds) {
  std::int64_t ticks = 0;
  for (; seconds >= next_seconds_; ++ticks) {
    ++answered_;
    next_seconds_ = ticks_ == Ticks::kExact ? static_cast<double>(answered_) / rate_hz_
                                            : next_seconds_ + 1 / rate_hz_;
  }
  return ticks;
}

PickedFrames pick_frames(std::span<const double> seconds_of_frames, double end_seconds,
                         Ticks ticks) {
  PickedFrames picked;
  FramePicker clip(kClipPicturesHz, ticks), sync(kSyncFramesHz, ticks);
  for (std::size_t i = 0; i < seconds_of_frames.size(); ++i) {
    const double seconds = seconds_of_frames[i];
    if (seconds < 0 || seconds > end_seconds) continue;
    picked.clip.insert(picked.clip.end(), static_cast<std::size_t>(clip.answer(seconds)), i);
    picked.sync.insert(picked.sync.end(), static_cast<std::size_t>(sync.answer(seconds)), i);
  }
  return picked;
}

PickedLengths lengths_of(const PickedFrames& picked, double wanted_seconds) {
  double seconds = wanted_seconds;
  seconds = std::min(seconds, static_cast<double>(picked.clip.size()) / kClipPicturesHz);
  seconds = std::min(seconds, static_cast<double>(picked.sync.size()) / kSyncFramesHz);
  return {.seconds = seconds,
          .clip_pictures = static_cast<std::int64_t>(kClipPicturesHz * seconds),
          .sync_frames = static_cast<std::int64_t>(kSyncFramesHz * seconds)};
}

std::int64_t sync_tokens(std::int64_t frames) {
  if (frames < kSyncSegmentFrames) return 0;
  return ((frames - kSyncSegmentFrames) / kSyncSegmentStep + 1) * kSyncSegmentTokens;
}

SquareCrop middle_square(std::int64_t width, std::int64_t height, std::int64_t side) {
  SquareCrop crop{.width = side, .height = side, .left = 0, .top = 0};
  // torchvision computes the longer edge in double and truncates it.
  const auto longer = [side](std::int64_t long_edge, std::int64_t short_edge) {
    return static_cast<std::int64_t>(static_cast<double>(side * long_edge) /
                                     static_cast<double>(short_edge));
  };
  if (width > height) crop.width = longer(width, height);
  if (height > width) crop.height = longer(height, width);
  crop.left = half_to_even(crop.width - side);
  crop.top = half_to_even(crop.height - side);
  return crop;
}

}  // namespace qingyin
