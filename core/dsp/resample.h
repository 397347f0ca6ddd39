#pragma once

#include "core/audio_buffer.h"

namespace qingyin {

/// The same sound at another rate (soxr, high quality). Length: round(length * to / from).
AudioBuffer resample(const AudioBuffer& audio, int sample_rate_hz);

}  // namespace qingyin
