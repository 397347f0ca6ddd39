#pragma once

#include <memory>
#include <vector>

#include "core/audio_buffer.h"
#include "core/events.h"

namespace qingyin {

/// The stream at 48 kHz with its level following the envelope: linear between the points, the first
/// and the last level before and after them.
std::unique_ptr<SoundStream> follow_envelope(std::unique_ptr<SoundStream> stream,
                                             std::vector<EnvelopePoint> envelope);

}  // namespace qingyin
