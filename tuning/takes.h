#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "audio_gen/vocabulary.h"

namespace qingyin::tuning {

/// One sound within a recording, in samples at 48 kHz.
struct Take {
  std::size_t begin = 0;  // of the attack
  std::size_t end = 0;    // where it has died out, or the next one begins
  double level_dbfs = 0;  // of its loudest 50 ms
};

/// Why a recording cannot be used, as a word for reports and in a sentence.
struct Fault {
  std::string reason, message;
};

/// What is wrong with a recording as such: "silent", "too_short", "clipped".
std::optional<Fault> recording_fault(std::span<const float> mono);

/// The single sounds of a recording: what stands out of its background, divided where another
/// attack follows a fall. Empty if nothing stands out.
/// @param weakest_db  what lies further under the loudest is no sound of the same kind
std::vector<Take> find_takes(std::span<const float> mono, double weakest_db = 30);

/// The take that begins within 0.1 s of a time, or none.
std::optional<Take> take_near(std::span<const float> mono, double onset_s);

/// How takes behave in time, by how long and how evenly they sound.
SoundShape shape_of_takes(std::span<const float> mono, std::span<const Take> takes);

/// Pieces of a texture, each `piece` samples long, from what sounds of a recording.
std::vector<Take> texture_pieces(std::span<const float> mono, std::size_t piece);

/// Amplitude in [0, 1] of the loudest, one value every 10 ms, smoothed over 50 ms.
std::vector<float> level_curve_of(std::span<const float> mono);

}  // namespace qingyin::tuning
