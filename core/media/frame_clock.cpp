#include "core/media/frame_clock.h"

namespace qingyin::media {

std::int64_t ticks_of_frames(std::int64_t count, const AVStream& stream) {
  const AVRational claimed = stream.avg_frame_rate;
  const AVRational rate = claimed.num > 0 && claimed.den > 0 ? claimed : AVRational{25, 1};
  return av_rescale_q(count, av_inv_q(rate), stream.time_base);
}

}  // namespace qingyin::media
