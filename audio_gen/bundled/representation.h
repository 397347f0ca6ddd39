#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qingyin::bundled {

// How the bundled models see a sound: 48 kHz mono, log-mel (`bundled_mel()`) of 100 bands every
// 10 ms, clamped below, four frames per latent token. One window is one sound of 1.28 s.
inline constexpr int kSampleRate = 48000;
inline constexpr std::int64_t kHop = 480;           // samples between frames
inline constexpr std::int64_t kMelBands = 100;      // M
inline constexpr std::int64_t kFramesPerToken = 4;  // a token is 40 ms
inline constexpr std::int64_t kTokenSamples = kHop * kFramesPerToken;
inline constexpr std::int64_t kWindowTokens = 32;
inline constexpr std::int64_t kContextTokens = 8;  // given clean when a sound goes on
inline constexpr std::int64_t kLatentSize = 96;    // principal components per token
inline constexpr std::int64_t kGrainHidden = 256;  // width of the network behind the grain
/// Silence before the attack: one token, so that the attack begins a token.
inline constexpr std::int64_t kLeadSamples = kTokenSamples;
/// Level of the loudest 50 ms of every sound that the networks see, in dBFS.
inline constexpr double kNominalDbfs = -20;
/// Natural log of the smallest mel magnitude: about -100 dBFS for a tone.
inline constexpr float kQuietestLogMel = -6.9077553F;

/// Root mean square of the loudest 50 ms (of all, if shorter).
double loudest_rms(std::span<const float> mono);

/// Amplitude of a level in dBFS, and back.
double amplitude_of(double dbfs);
double dbfs_of(double amplitude);

/// Log-mel of a mono 48 kHz signal, clamped at `kQuietestLogMel`. [F, M], F = length / 480: a last
/// frame that only half lies in the signal is left out.
std::vector<float> clamped_log_mel(std::span<const float> mono);

}  // namespace qingyin::bundled
