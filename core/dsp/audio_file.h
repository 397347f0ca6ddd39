#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "core/atomic_file.h"
#include "core/audio_buffer.h"

namespace qingyin {

enum class SampleFormat { kPcm16, kPcm24, kFloat32 };

/// Streams PCM into a WAV (RF64 past 4 GB) or FLAC file, chosen by the target's extension.
/// 16 and 24 bit are rounded with no dither; samples past full scale are clipped.
class AudioFileWriter {
 public:
  /// @throws Error kIo (see AtomicFile), kUsage for another extension or float FLAC
  AudioFileWriter(const std::filesystem::path& target, int sample_rate_hz, int channels,
                  SampleFormat format, Overwrite overwrite);
  ~AudioFileWriter();
  void write(std::span<const float> interleaved);
  /// Closes and commits under the final name. @throws Error kIo
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads a whole WAV or FLAC file. @throws Error kInvalidInput
AudioBuffer read_audio_file(const std::filesystem::path& path);

}  // namespace qingyin
