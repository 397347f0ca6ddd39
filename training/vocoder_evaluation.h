#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "audio_gen/bundled/networks.h"

namespace qingyin::training {

/// How well sound is made again from its log-mel.
struct VocoderFigures {
  double log_mel_l1 = 0;   // nepers
  double spectral_db = 0;  // log-spectral distance: rms over bins of 1920 / 480, mean over frames
  double attack_db = 0;    // mean rise within 2 ms at one-shots' onsets (`attack_rise_db`)
  double seconds = 0;      // of one thread, per second of sound
};

struct VocoderComparison {
  VocoderFigures network, griffin_lim;
  double true_attack_db = 0;
};

/// The method of Griffin & Lim (1984) from magnitudes interpolated from the mel, beginning with
/// random phases: the judge of vocoders.
/// @param log_mel  [F, M]
/// @return         F * 480 samples from the centre of frame 0 on
std::vector<float> griffin_lim(std::span<const float> log_mel, int iterations, std::uint64_t seed);

/// Both on `count` sounds of 1.6 s of the list that `seed` stands for.
VocoderComparison compare_vocoders(const bundled::Networks& networks, std::uint64_t seed,
                                   std::int64_t count);

}  // namespace qingyin::training
