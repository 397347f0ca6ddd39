#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/media/audio_reader.h"

namespace qingyin {

/// The sound of a file as somebody else's programs made it: mono, 48 kHz.
struct SoundFile {
  std::vector<float> mono;
  bool has_picture = false;           // that moves; a cover is none
  std::vector<std::string> warnings;  // what was odd, in words, for the user
};

/// Reads the sound of a sound file (WAV, FLAC, AIFF, MP3, Ogg, M4A, CAF, ...) or of a video.
/// Several channels are averaged; where they cancel one another out, the loudest is taken.
/// @param longest  what comes later is left out, with a warning
/// @throws Error   kInvalidInput with reason "not_found", "not_a_file", "unreadable", "no_audio",
///                 "limit"
SoundFile read_sound_file(const std::filesystem::path& path, Seconds longest,
                          const MediaLimits& limits = {});

namespace media {

/// As `open_audio`, for a file that may hold sound alone; the track is `clip.audio_stream`.
std::unique_ptr<AudioReader> open_sound(const ClipInfo& clip, const MediaLimits& limits);

}  // namespace media
}  // namespace qingyin
