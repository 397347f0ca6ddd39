#pragma once

#include <cstdint>
#include <vector>

#include "audio_gen/mmaudio/window_plan.h"
#include "audio_gen/whole_sound.h"
#include "core/time.h"

namespace qingyin::mmaudio {

/// Rows [first, end) of something on the clip's clock.
struct RowSpan {
  std::int64_t first = 0, end = 0;

  bool operator==(const RowSpan&) const = default;
};

/// What one window of an event shows, in the layout of `WindowFeatures`: rows that are not seen are
/// zeros here, and 0 in the lists that say which are.
struct MaskedSight {
  std::vector<float> clip, sync;
  std::vector<std::uint8_t> clip_seen, sync_seen;
  bool sees_nothing = true;
};

/// The picture of a clip while one event lasts, and nothing outside of that: of CLIP's pictures
/// those at most 0.16 s from the event, of Synchformer's tokens those whose middle is.
///
/// The event's own clock begins one second before its onset or up to 0.32 s earlier than that, with
/// a segment of the clip; windows are planned on it.
class EventView {
 public:
  EventView(Seconds onset, Seconds offset);

  /// The onset on the event's own clock: 1 s to 1.32 s.
  Seconds onset() const;
  /// The time of the clip that is looked at.
  Seconds begin() const;
  Seconds end() const;
  /// Pictures and segments of the clip that are looked at, for `SightNeed`.
  RowSpan pictures() const { return pictures_; }
  RowSpan segments() const { return segments_; }

  /// @param window  on the event's own clock
  /// @param clip_size, sync_size  widths of the rows
  MaskedSight look(const Window& window, ClipSenses& senses, std::int64_t clip_size,
                   std::int64_t sync_size) const;

 private:
  bool sees(double clip_seconds) const;

  Seconds clip_onset_, clip_offset_;
  std::int64_t first_segment_, first_picture_;  // of the clip, where the own clock begins
  RowSpan pictures_, segments_;
};

}  // namespace qingyin::mmaudio
