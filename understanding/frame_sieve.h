#pragma once

#include <cstddef>
#include <deque>
#include <opencv2/core.hpp>
#include <vector>

namespace qingyin {

/// A grey picture on its way to the motion meter.
struct GreyFrame {
  cv::Mat picture;  // [height, width], uint8
  double time_s = 0;
  bool after_cut = false;     // the picture before it belongs to another shot
  bool after_repeat = false;  // a repeat was dropped before it
};

/// Drops repeated frames and marks scene cuts, a few frames behind the newest one.
///
/// A frame repeats its predecessor if the mean difference is below 0.15 of the median of the ten
/// differences around it, or below 0.02 grey levels. Only single repeats are dropped: they come
/// from a rate conversion, while a run of them is a picture at rest.
///
/// A cut is a jump of the mean difference (min of the difference and of its change, as FFmpeg's
/// `scdet` filter measures it) by a tenth of full scale from which the picture does not come back
/// within some frames, so that a flash of light is none.
class FrameSieve {
 public:
  /// Takes the next frame; returns those that are decided, in order.
  std::vector<GreyFrame> push(cv::Mat picture, double time_s);
  /// Returns what is left at the end of the clip.
  std::vector<GreyFrame> finish();

 private:
  struct Entry {
    GreyFrame frame;
    double difference = 0;  // mean |frame - its predecessor|, grey levels; 0 for the first
  };

  bool repeats(std::size_t index) const;
  bool is_single_repeat(std::size_t index) const;
  bool starts_shot(std::size_t index) const;
  void release(std::vector<GreyFrame>& released);

  std::deque<Entry> entries_;     // decided history, then undecided frames
  std::size_t decided_ = 0;       // entries_[0 .. decided_) are decided
  std::size_t first_number_ = 0;  // number of entries_[0] in the clip
  bool carry_cut_ = false;        // a cut fell on a dropped frame
  bool dropped_ = false;          // the frame before was dropped
};

}  // namespace qingyin
