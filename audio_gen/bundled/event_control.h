#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qingyin::bundled {

/// How a sound is led through time, whatever made it.
struct SoundCourse {
  bool is_texture;                     // no beginning, no end
  bool is_sustained;                   // else it ends by itself
  double duration_s;                   // of what is sustained, from the onset
  std::span<const float> level_curve;  // amplitude in [0, 1] every 10 ms from the onset; empty: 1
};

inline constexpr std::int64_t kControls = 3;

/// The control of tokens [first, first + count) counted from the start of the sound, whose onset is
/// at token 1 (a texture has none): [count, 3] =
///   level   1 + dB / 40 of the wanted amplitude, at least 0; 0 where nothing is wanted
///   active  share of the token in which the sound is driven
///   age     seconds since the onset / 2, at most 1; of a texture always 1
std::vector<float> event_control(const SoundCourse& course, std::int64_t first, std::int64_t count);

}  // namespace qingyin::bundled
