#include "core/dsp/audio_file.h"

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/disk_full.h"
#include "core/error.h"

namespace qingyin {
namespace {

struct CloseFile {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using File = std::unique_ptr<SNDFILE, CloseFile>;

constexpr std::size_t kMostSamples = std::size_t{1} << 30;

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return extension;
}

int subtype(SampleFormat format) {
  switch (format) {
    case SampleFormat::kPcm16:
      return SF_FORMAT_PCM_16;
    case SampleFormat::kPcm24:
      return SF_FORMAT_PCM_24;
    case SampleFormat::kFloat32:
      return SF_FORMAT_FLOAT;
  }
  throw Error(ErrorCode::kInternal, "audio file: unknown sample format");
}

int container(const std::filesystem::path& target, const AudioFileFormat& format) {
  const std::string extension = lower_extension(target);
  if (extension == ".wav") return SF_FORMAT_RF64;
  require(extension == ".flac", ErrorCode::kUsage,
          "audio file: " + target.string() + " should end in .wav or .flac");
  require(format.samples != SampleFormat::kFloat32, ErrorCode::kUsage,
          "audio file: FLAC holds no float samples; use 24 bit, or .wav for " + target.string());
  require(!format.time_reference, ErrorCode::kUsage,
          "audio file: FLAC holds no time reference; use .wav for " + target.string());
  return SF_FORMAT_FLAC;
}

void set_time_reference(SNDFILE* file, std::int64_t samples) {
  SF_BROADCAST_INFO info{};
  std::strncpy(info.originator, "qingyin", sizeof(info.originator));
  info.time_reference_low = static_cast<std::uint32_t>(samples & 0xFFFFFFFF);
  info.time_reference_high = static_cast<std::uint32_t>(samples >> 32);
  info.version = 1;
  require(sf_command(file, SFC_SET_BROADCAST_INFO, &info, sizeof(info)) == SF_TRUE,
          ErrorCode::kInternal, "audio file: the bext chunk was refused");
}

/// Left-justified 32-bit integers whose low bits are zero: libsndfile stores them unchanged, where
/// its own conversion of floats would cut instead of round.
int to_integer(float sample, int bits) {
  require(!std::isnan(sample), ErrorCode::kInternal, "audio file: a sample is not a number");
  const double full = std::ldexp(1.0, bits - 1);
  const double rounded = std::clamp(std::nearbyint(sample * full), -full, full - 1);
  return static_cast<int>(static_cast<std::uint32_t>(static_cast<std::int32_t>(rounded))
                          << (32 - bits));
}

}  // namespace

struct AudioFileWriter::State {
  AtomicFile output;
  AudioFileFormat format;
  File file;
  std::vector<int> integers;
  sf_count_t frames = 0;  // written

  [[noreturn]] void fail(const char* reason, int system_error = 0) const {
    throw Error(ErrorCode::kIo,
                "audio file: cannot write " + output.target().string() + ": " + reason +
                    "; check the free space and the rights of its folder",
                disk_reason(system_error));
  }

  // libsndfile does not tell when the header, which it writes last, cannot be written.
  void check_length(int system_error) const {
    SF_INFO info{};
    const File written(sf_open(output.temporary().c_str(), SFM_READ, &info));
    if (written == nullptr || info.frames != frames) {
      fail("the finished file does not hold what was written", system_error);
    }
  }
};

AudioFileWriter::AudioFileWriter(const std::filesystem::path& target, const AudioFileFormat& format,
                                 Overwrite overwrite) {
  require(format.sample_rate_hz > 0 && format.channels > 0, ErrorCode::kUsage,
          "audio file: the sample rate and the channels should be positive");
  SF_INFO info{};
  info.samplerate = format.sample_rate_hz;
  info.channels = format.channels;
  info.format = container(target, format) | subtype(format.samples);
  require(sf_format_check(&info) == SF_TRUE, ErrorCode::kUsage,
          "audio file: " + target.string() + " cannot hold " + std::to_string(format.channels) +
              " channels at " + std::to_string(format.sample_rate_hz) + " Hz");
  state_.reset(new State{AtomicFile(target, overwrite), format, nullptr, {}, 0});
  errno = 0;
  state_->file.reset(sf_open(state_->output.temporary().c_str(), SFM_WRITE, &info));
  SNDFILE* file = state_->file.get();
  if (file == nullptr) state_->fail(sf_strerror(nullptr), errno);
  sf_command(file, SFC_RF64_AUTO_DOWNGRADE, nullptr, SF_TRUE);
  // The PEAK chunk holds the time of day.
  sf_command(file, SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);
  if (format.time_reference) set_time_reference(file, *format.time_reference);
}

AudioFileWriter::~AudioFileWriter() = default;

void AudioFileWriter::write(std::span<const float> interleaved) {
  State& state = *state_;
  const auto count = static_cast<sf_count_t>(interleaved.size());
  require(state.file != nullptr && count % state.format.channels == 0, ErrorCode::kInternal,
          "audio file: written after the end, or half a sample frame");
  sf_count_t written = 0;
  errno = 0;
  if (state.format.samples == SampleFormat::kFloat32) {
    written = sf_write_float(state.file.get(), interleaved.data(), count);
  } else {
    const int bits = state.format.samples == SampleFormat::kPcm16 ? 16 : 24;
    state.integers.resize(interleaved.size());
    std::ranges::transform(interleaved, state.integers.begin(),
                           [bits](float sample) { return to_integer(sample, bits); });
    written = sf_write_int(state.file.get(), state.integers.data(), count);
  }
  if (written != count) state.fail(sf_strerror(state.file.get()), errno);
  state.frames += count / state.format.channels;
}

void AudioFileWriter::finish() {
  State& state = *state_;
  require(state.file != nullptr, ErrorCode::kInternal, "audio file: finished twice");
  errno = 0;
  const int error = sf_close(state.file.release());
  const int system_error = errno;
  if (error != 0) state.fail(sf_error_number(error), system_error);
  state.check_length(system_error);
  state.output.commit();
}

AudioBuffer read_audio_file(const std::filesystem::path& path) {
  const auto refuse = [&](const std::string& found) {
    throw Error(ErrorCode::kInvalidInput,
                "audio file: " + path.string() + " " + found + "; expected a WAV or FLAC file");
  };
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) refuse("does not exist");
  if (!std::filesystem::is_regular_file(path, ignored)) refuse("is not a file");
  SF_INFO info{};
  const File file(sf_open(path.c_str(), SFM_READ, &info));
  if (file == nullptr) refuse(std::string("cannot be read: ") + sf_strerror(nullptr));
  const int type = info.format & SF_FORMAT_TYPEMASK;
  if (type != SF_FORMAT_WAV && type != SF_FORMAT_WAVEX && type != SF_FORMAT_RF64 &&
      type != SF_FORMAT_FLAC)
    refuse("holds another format");

  AudioBuffer audio{.samples = {}, .sample_rate_hz = info.samplerate, .channels = info.channels};
  // By blocks: the length in a header may lie.
  std::vector<float> block(static_cast<std::size_t>(info.channels) * 65536);
  while (const sf_count_t frames = sf_readf_float(file.get(), block.data(), 65536)) {
    audio.samples.insert(audio.samples.end(), block.begin(),
                         block.begin() + frames * info.channels);
    if (audio.samples.size() > kMostSamples) refuse("is longer than 2^30 samples");
  }
  if (sf_error(file.get()) != SF_ERR_NO_ERROR)
    refuse(std::string("is damaged: ") + sf_strerror(file.get()));
  if (std::ranges::any_of(audio.samples, [](float s) { return !std::isfinite(s); }))
    refuse("holds samples that are not finite");
  return audio;
}

}  // namespace qingyin
