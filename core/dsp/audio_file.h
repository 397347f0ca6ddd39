#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "core/atomic_file.h"
#include "core/audio_buffer.h"

namespace qingyin {

enum class SampleFormat { kPcm16, kPcm24, kFloat32 };

struct AudioFileFormat {
  int sample_rate_hz;
  int channels;
  SampleFormat samples = SampleFormat::kPcm24;
  /// Broadcast WAV's TimeReference: where the file starts, in samples since midnight. None: no
  /// `bext` chunk. WAV only.
  std::optional<std::int64_t> time_reference = std::nullopt;
};

/// Streams PCM into a WAV (RF64 past 4 GB) or FLAC file, chosen by the target's extension.
/// 16 and 24 bit are rounded with no dither; samples past full scale are clipped. The same samples
/// make the same bytes. Destroyed without `finish`, it leaves no file.
class AudioFileWriter {
 public:
  /// @throws Error kIo (see AtomicFile), kUsage for another extension, float FLAC or bext in FLAC
  AudioFileWriter(const std::filesystem::path& target, const AudioFileFormat& format,
                  Overwrite overwrite);
  AudioFileWriter(const std::filesystem::path& target, int sample_rate_hz, int channels,
                  SampleFormat format, Overwrite overwrite)
      : AudioFileWriter(target,
                        {.sample_rate_hz = sample_rate_hz, .channels = channels, .samples = format},
                        overwrite) {}
  ~AudioFileWriter();
  /// @throws Error kIo on a full disk, kInternal on a sample that is not a number
  void write(std::span<const float> interleaved);
  /// Closes and commits under the final name. @throws Error kIo
  void finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads a whole WAV or FLAC file of at most 2^30 samples. @throws Error kInvalidInput
AudioBuffer read_audio_file(const std::filesystem::path& path);

}  // namespace qingyin
