#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/atomic_file.h"
#include "core/media/clip.h"

namespace qingyin {

struct MuxRequest {
  std::filesystem::path target;  // container by extension; see `target_for`
  Overwrite overwrite = Overwrite::kNo;
  bool keep_original_audio_tracks = false;  // copy the clip's own sound tracks behind the new one
  std::map<std::string, std::string> metadata{};  // added to the clip's own
};

/// Writes a copy of a clip whose sound is ours: picture packets, subtitles, chapters and metadata
/// are copied bit for bit; the new sound (48 kHz) is encoded and lasts exactly as long as the
/// picture, round(duration x 48000) samples after decoding.
class Muxer {
 public:
  virtual ~Muxer() = default;
  /// The next samples, stereo interleaved [length, 2]. In all exactly `length()` samples.
  virtual void write(std::span<const float> interleaved) = 0;
  /// Samples that the sound must have.
  virtual std::int64_t length() const = 0;
  /// What of the clip the container could not hold, in words, for the user.
  virtual std::vector<std::string> notes() const = 0;
  /// Finishes, verifies by reopening, and commits under the final name. @throws Error kIo
  /// (full disk, a sound that does not decode to exactly `length()` samples); then nothing is left
  /// behind
  virtual void finish() = 0;
};

/// @throws Error  kIo if the target is not writable or exists; kUsage if the container cannot hold
///                the picture, naming one that can
std::unique_ptr<Muxer> open_muxer(const ClipInfo& clip, const MuxRequest& request);

/// The name that a clip's output gets in a folder: same stem, and the same container where it can
/// hold the copied picture with our sound, otherwise a sensible one (TS and AVI become MP4 or MKV).
std::filesystem::path target_for(const ClipInfo& clip, const std::filesystem::path& folder);

}  // namespace qingyin
