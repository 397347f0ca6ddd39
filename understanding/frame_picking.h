#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qingyin {

/// Rates at which MMAudio looks at a clip: pictures for CLIP, motion for Synchformer.
inline constexpr double kClipPicturesHz = 8, kSyncFramesHz = 25;
/// Frames of one Synchformer segment, of the step to the next one, and tokens of a segment.
inline constexpr std::int64_t kSyncSegmentFrames = 16, kSyncSegmentStep = 8, kSyncSegmentTokens = 8;

/// How the times of ticks come about.
enum class Ticks {
  kExact,        // tick k at k / rate
  kAccumulated,  // each adds 1 / rate in double to the last, as the reference does: drifts by a
                 // rounding, which moves single picks
};

/// Answers ticks at a steady rate with frames of any times: a tick takes the first frame that comes
/// at its time or later (hkchengrex/MMAudio, mmaudio/data/av_utils.py, read_frames).
class FramePicker {
 public:
  FramePicker(double rate_hz, Ticks ticks) : rate_hz_(rate_hz), ticks_(ticks) {}

  /// How many ticks the next frame answers: 0 (it is skipped), 1, or more (it is repeated).
  /// @param seconds  time of the frame; frames come in display order
  std::int64_t answer(double seconds);

 private:
  double rate_hz_;
  Ticks ticks_;
  std::int64_t answered_ = 0;
  double next_seconds_ = 0;
};

/// Indices of the frames that the ticks took, one each.
struct PickedFrames {
  std::vector<std::size_t> clip, sync;
};

/// Both picks of a clip. A frame later than `end_seconds` is not looked at; one exactly there is.
PickedFrames pick_frames(std::span<const double> seconds_of_frames, double end_seconds,
                         Ticks ticks);

/// What remains of a wanted duration, and of the picks, once the clip is too short for it.
struct PickedLengths {
  double seconds;
  std::int64_t clip_pictures, sync_frames;
};

/// The shortening rules of the reference (mmaudio/eval_utils.py, load_video).
PickedLengths lengths_of(const PickedFrames& picked, double wanted_seconds);

/// Tokens that Synchformer makes of so many frames; 0 below one segment.
std::int64_t sync_tokens(std::int64_t frames);

/// A rectangle that a picture is scaled to, and the square that is cut out of it, in pixels.
struct SquareCrop {
  std::int64_t width, height;
  std::int64_t left, top;
};

/// Scales the shorter edge to `side` and cuts out the middle, with torchvision's rounding.
SquareCrop middle_square(std::int64_t width, std::int64_t height, std::int64_t side);

}  // namespace qingyin
