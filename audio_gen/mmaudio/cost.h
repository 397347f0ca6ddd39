#pragma once

#include "audio_gen/mmaudio/flow_config.h"
#include "audio_gen/mmaudio/sequence.h"
#include "audio_gen/mmaudio/sound_config.h"

// Floating-point operations of MMAudio's stages, two for each multiply-add of a matrix product or
// convolution; what is done element by element is not counted.
namespace qingyin::mmaudio {

/// One evaluation of the flow network for one row, in 10^9.
double gflop_of_evaluation(const FlowConfig& config, const SequenceLengths& lengths);

/// The mel VAE's decoder, in 10^9. @param latents  N
double gflop_of_decoder(const MelVaeConfig& config, std::int64_t latents);

/// The vocoder, in 10^9. @param frames  F
double gflop_of_vocoder(const BigVganConfig& config, std::int64_t frames);

}  // namespace qingyin::mmaudio
