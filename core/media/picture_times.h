#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "core/media/ffmpeg.h"
#include "core/time.h"

namespace qingyin::media {

/// Gathers the presentation times of a picture's packets: where the picture ends, and whether its
/// rate is constant. Memory does not grow with the number of packets once the start is known.
class PictureTimes {
 public:
  /// @param candidates  rates to be tested against the times, best first
  /// @param average     the rate that the file claims on average
  PictureTimes(AVRational time_base, const std::vector<AVRational>& candidates, AVRational average);

  /// One packet that is meant to be shown. `duration` is 0 where unknown.
  void add(std::int64_t pts, std::int64_t duration);
  /// The presentation time of the first shown frame: earlier packets never reach the screen.
  void start_at(std::int64_t pts);
  /// No more packets.
  void finish();

  bool started() const { return started_; }
  std::int64_t start() const { return start_; }
  std::int64_t count() const { return count_; }
  /// Ticks from the first shown frame to the end of the last.
  /// @param fallback  length of an only frame that does not state its own
  std::int64_t length(std::int64_t fallback) const;
  /// Frames that would fall onto their predecessor if they were put on the average rate's grid.
  std::int64_t crowded() const { return crowded_; }
  /// The first candidate that all times agree with to a tick; {0, 1} if none does.
  FrameRate rate() const;

 private:
  struct Candidate {
    AVRational rate;
    double ticks_per_frame;
    bool fits = true;
  };

  void accept(std::int64_t pts, std::int64_t duration);
  void check(std::int64_t pts);

  std::vector<Candidate> candidates_;
  struct Waiting {
    std::int64_t pts, duration;
  };
  std::vector<Waiting> before_start_;
  // Packets come in decoding order; display order is restored over a window of this many.
  std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> reorder_;
  bool started_ = false;
  std::int64_t start_ = 0, count_ = 0, checked_ = 0;
  std::int64_t last_ = 0, last_duration_ = 0;
  double average_ticks_ = 0;  // per frame; 0: not known
  std::int64_t grid_ = -1, crowded_ = 0;
};

}  // namespace qingyin::media
