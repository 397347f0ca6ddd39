#include "understanding/understanding.h"

#include <algorithm>

#include "core/error.h"

namespace qingyin {

EventTimeline Understanding::describe(FrameReader& frames, const Progress& progress) const {
  const ClipInfo& clip = frames.clip();
  require(clip.duration > Seconds(0), ErrorCode::kInvalidInput,
          "understanding: " + clip.path.string() +
              ": the clip has no duration; expected at least one frame that is shown for a while. "
              "Check that the file plays, or convert it to MP4 first.");
  EventTimeline timeline = do_describe(frames, progress);
  timeline.clip = {.path = clip.path.string(),
                   .sha256 = {},
                   .duration = clip.duration,
                   .frame_rate = clip.rate,
                   .width = clip.width,
                   .height = clip.height,
                   .rotation_deg = clip.rotation_deg};
  require(std::ranges::is_sorted(timeline.events, {}, &SoundEvent::onset), ErrorCode::kInternal,
          "understanding: events are not sorted by onset");
  for (const SoundEvent& e : timeline.events)
    require(Seconds(0) <= e.onset && e.onset <= e.offset && e.offset <= clip.duration,
            ErrorCode::kInternal, "understanding: event " + e.id + " lies outside the clip");
  return timeline;
}

}  // namespace qingyin
