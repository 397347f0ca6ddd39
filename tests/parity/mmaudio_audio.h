#pragma once

#include "tests/parity/family.h"

namespace qingyin::test {

/// MMAudio from features and noise to sound: flow networks, sampler, mel VAEs, vocoders, mel front
/// end, sequence lengths, and their key manifests.
FamilyPart mmaudio_audio_part();

}  // namespace qingyin::test
