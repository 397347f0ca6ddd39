#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/media/clip.h"
#include "pipeline/pipeline.h"
#include "pipeline/report.h"
#include "sync/stem_block.h"

namespace qingyin {

/// A file that takes finished sound. Destroyed without `finish`, it leaves nothing.
class SoundSink {
 public:
  virtual ~SoundSink() = default;
  virtual void write(std::span<const float> mix, const StemBlock& stems) = 0;
  /// Closes, and commits under the final names. @throws Error kIo
  virtual void finish() = 0;
  virtual std::vector<ReportFile> files() const = 0;
};

/// Where the mix goes.
struct MixTarget {
  std::filesystem::path target;  // .wav and .flac: a sound file; otherwise a container
  const ClipInfo* clip;          // whose picture it gets; none: a sound file
  int channels;                  // of a sound file: 1 takes the left one
  bool keeps_own_tracks;         // the clip's own sound tracks are copied behind the new one
  Overwrite overwrite;
};

/// @throws Error  as AudioFileWriter and open_muxer; kUsage for a container without a clip
std::unique_ptr<SoundSink> open_mix(const MixTarget& wanted);

std::unique_ptr<SoundSink> open_stems(const std::filesystem::path& folder,
                                      const std::vector<std::string>& lanes, Overwrite overwrite);

/// True for the extensions of sound alone.
bool is_sound_file(const std::filesystem::path& path);

/// Refuses a request that would overwrite something, or that wants nothing, before any work.
/// @throws Error  kIo (reason "exists") naming the file; kUsage
void check_outputs(const OutputRequest& request);

/// The output that the report lies beside.
const std::filesystem::path& main_output(const OutputRequest& request);

}  // namespace qingyin
