#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "core/media/frame_reader.h"
#include "understanding/motion_map.h"
#include "understanding/motion_sample.h"

namespace qingyin {

/// The picture changes to another shot; `time_s` is when its first frame is shown.
struct SceneCut {
  double time_s = 0;
};

/// A pair of frames gives a sample, then, if maps are wanted, a map.
using MotionItem = std::variant<MotionSample, MotionMap, SceneCut>;

/// What is measured: maps are what the detector network sees.
enum class Measure { kSamples, kSamplesAndMaps };

/// Turns grey frames into motion: repeats dropped, cuts found, flow measured. Memory does not grow
/// with the clip.
class MotionStream {
 public:
  /// @param threads  at least 1; pairs of frames are shared out, so that no number changes a result
  explicit MotionStream(int threads, Measure measure = Measure::kSamples);
  ~MotionStream();

  /// The longest side of the pictures that it wants, in pixels.
  static constexpr int kLongestSide = 320;

  /// Takes the next frame in order of time. Frames of a high rate are passed over: 60 per second
  /// are read as 30.
  /// @return         what is settled by now, in order
  /// @throws Error   kInternal if the frame is not grey
  std::vector<MotionItem> push(const Frame& frame);
  /// What is left at the end of the clip.
  std::vector<MotionItem> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qingyin
