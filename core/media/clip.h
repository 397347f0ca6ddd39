#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/time.h"

namespace qingyin {

enum class StreamKind { kVideo, kAudio, kSubtitle, kData, kAttachment };

/// One stream of a container, as found.
struct StreamInfo {
  int index;
  StreamKind kind;
  std::string codec;            // FFmpeg's name: "h264", "aac"
  std::string language, title;  // empty: not stated
  bool is_default = false;
  bool is_attached_picture = false;
  int sample_rate_hz = 0;  // audio only
  int channels = 0;        // audio only
};

/// Facts about a clip. Its frames are not here: a FrameReader streams them.
struct ClipInfo {
  std::filesystem::path path;
  std::string container;  // FFmpeg's demuxer name
  Seconds duration{0};  // of the picture: end of the last shown frame, clock 0 = first shown frame
  FrameRate rate;       // {0, 1}: variable
  // The same on the container's own clock, exactly: 1 second is `tick_rate` ticks, clock 0 is
  // tick `start_ticks` (an offset, a negative start and an edit list are in there).
  FrameRate tick_rate{1, 1};
  std::int64_t start_ticks = 0, duration_ticks = 0;
  std::int64_t earliest_ticks = 0;  // of any packet of the picture, those that are never shown too
  std::int64_t width = 0, height = 0;  // upright and with square pixels, in pixels
  int rotation_deg = 0;                // as stored in the container, clockwise: 0, 90, 180, 270
  std::int64_t bytes = 0;
  int video_stream = -1;            // index of the picture that is used
  std::optional<int> audio_stream;  // index of the original sound that is used
  std::vector<StreamInfo> streams;
  std::vector<std::string> warnings;  // what was odd, in words, for the user
  bool isolated = false;              // all work on it is done in processes of their own
};

/// Bounds for a file that nobody vouches for (spec: media safety). Over one of them:
/// Error kInvalidInput, reason "limit".
struct MediaLimits {
  std::int64_t max_pixels = 35389440;  // 8192 x 4320
  int max_streams = 32;
  Seconds max_duration{24 * 3600};
  std::int64_t max_frames = 24LL * 3600 * 240;
  std::int64_t max_decoded_bytes = 16LL << 40;  // of all frames in one pass: 3 hours of 8K at 30
  Seconds no_progress{20};
  /// The file is read in a process of its own that is shut in (no files, no network, bounded memory
  /// and time), and so is all later work on the clip. One that crashes is reason "decoder_crashed".
  bool isolated = false;
};

/// Opens a clip and states its facts. Duration comes from packet times, not from header claims.
/// @throws Error  kInvalidInput with reason "not_found", "not_a_file", "unreadable", "no_video",
///                "protected", "limit"; where it is isolated also "decoder_crashed"
ClipInfo probe(const std::filesystem::path& path, const MediaLimits& limits = {});

}  // namespace qingyin
