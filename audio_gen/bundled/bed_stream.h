#pragma once

#include <memory>

#include "audio_gen/bundled/networks.h"
#include "audio_gen/bundled/sound_plan.h"
#include "core/audio_buffer.h"

namespace qingyin::bundled {

/// A sound that never ends, at its level from the first sample on.
/// @param networks   must outlive the stream
/// @param amplitude  of the loudest 50 ms in its first two seconds
std::unique_ptr<SoundStream> open_bed(const Networks& networks, SoundPlan plan,
                                      const RenderSettings& settings, double amplitude);

}  // namespace qingyin::bundled
