#include "core/dsp/audio_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>

#include "core/error.h"
#include "tests/dsp/full_disk.h"
#include "tests/dsp/signals.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

class AudioFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              ("qingyin_audio_" + std::to_string(getpid()) + "_" +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path put(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  static std::string bytes_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(AudioFile, RoundTrips) {
  const auto x = noise(0.2, 2 * 10001, 31);
  struct Case {
    const char* name;
    SampleFormat format;
    double step;
  };
  for (const Case& c :
       {Case{"a.wav", SampleFormat::kPcm16, 1 / 32768.0},
        Case{"b.wav", SampleFormat::kPcm24, 1 / 8388608.0},
        Case{"c.wav", SampleFormat::kFloat32, 0}, Case{"d.flac", SampleFormat::kPcm16, 1 / 32768.0},
        Case{"E.FLAC", SampleFormat::kPcm24, 1 / 8388608.0}}) {
    AudioFileWriter writer(folder_ / c.name, 44100, 2, c.format, Overwrite::kNo);
    writer.write(std::span(x).first(2002));
    writer.write(std::span(x).subspan(2002));
    writer.finish();
    const AudioBuffer back = read_audio_file(folder_ / c.name);
    EXPECT_EQ(back.sample_rate_hz, 44100);
    EXPECT_EQ(back.channels, 2);
    ASSERT_EQ(back.samples.size(), x.size()) << c.name;
    for (std::size_t n = 0; n < x.size(); ++n)
      ASSERT_LE(std::abs(back.samples[n] - std::clamp(x[n], -1.0F, 1.0F)), 0.5001 * c.step)
          << c.name;
  }
  EXPECT_EQ(files(), 5U) << "temporary files were left behind";
}

TEST_F(AudioFile, ClipsAtFullScale) {
  const std::vector<float> x = {2.0F, -2.0F, 1.0F, -1.0F};
  AudioFileWriter writer(folder_ / "a.wav", 48000, 1, SampleFormat::kPcm24, Overwrite::kNo);
  writer.write(x);
  writer.finish();
  const auto back = read_audio_file(folder_ / "a.wav").samples;
  EXPECT_FLOAT_EQ(back[0], 8388607 / 8388608.0F);
  EXPECT_EQ(back[1], -1.0F);
  EXPECT_EQ(back[2], back[0]);
  EXPECT_EQ(back[3], -1.0F);
}

// EBU Tech 3285: TimeReference is a 64-bit number 338 bytes into the bext chunk.
TEST_F(AudioFile, HoldsTheTimeReference) {
  const std::int64_t reference = 0x123456789;
  AudioFileWriter writer(folder_ / "a.wav",
                         {.sample_rate_hz = 48000, .channels = 1, .time_reference = reference},
                         Overwrite::kNo);
  writer.write(sine(440, 0.5, 480));
  writer.finish();
  const std::string bytes = bytes_of(folder_ / "a.wav");
  EXPECT_EQ(bytes.substr(0, 4), "RIFF");
  const auto chunk = bytes.find("bext");
  ASSERT_NE(chunk, std::string::npos);
  std::int64_t found = 0;
  for (std::size_t i = 8; i-- > 0;)
    found = found << 8 | static_cast<unsigned char>(bytes[chunk + 8 + 338 + i]);
  EXPECT_EQ(found, reference);
  EXPECT_EQ(read_audio_file(folder_ / "a.wav").length(), 480);
}

TEST_F(AudioFile, SameSamplesMakeTheSameBytes) {
  for (const SampleFormat format : {SampleFormat::kPcm24, SampleFormat::kFloat32}) {
    for (const char* name : {"a.wav", "b.wav"}) {
      AudioFileWriter writer(
          folder_ / name,
          {.sample_rate_hz = 48000, .channels = 1, .samples = format, .time_reference = 0},
          Overwrite::kYes);
      writer.write(sine(440, 0.5, 4800));
      writer.finish();
    }
    EXPECT_EQ(bytes_of(folder_ / "a.wav"), bytes_of(folder_ / "b.wav"));
  }
}

TEST_F(AudioFile, IsNotThereUnlessFinished) {
  {
    AudioFileWriter writer(folder_ / "a.wav", 48000, 1, SampleFormat::kPcm24, Overwrite::kNo);
    writer.write(sine(440, 0.5, 4800));
    EXPECT_FALSE(fs::exists(folder_ / "a.wav"));
  }
  EXPECT_EQ(files(), 0U);
}

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::kInternal;
}

TEST_F(AudioFile, RefusesWhatItCannotWrite) {
  const auto open = [&](const fs::path& path, SampleFormat format) {
    return [=] { AudioFileWriter(path, 48000, 2, format, Overwrite::kNo); };
  };
  EXPECT_EQ(code_of(open(folder_ / "a.mp3", SampleFormat::kPcm16)), ErrorCode::kUsage);
  EXPECT_EQ(code_of(open(folder_ / "a", SampleFormat::kPcm16)), ErrorCode::kUsage);
  EXPECT_EQ(code_of(open(folder_ / "a.flac", SampleFormat::kFloat32)), ErrorCode::kUsage);
  EXPECT_EQ(code_of(open(folder_ / "no" / "a.wav", SampleFormat::kPcm16)), ErrorCode::kIo);
  put("there.wav", "x");
  EXPECT_EQ(code_of(open(folder_ / "there.wav", SampleFormat::kPcm16)), ErrorCode::kIo);
  EXPECT_EQ(bytes_of(folder_ / "there.wav"), "x");
  AudioFileWriter writer(folder_ / "nan.wav", 48000, 1, SampleFormat::kPcm24, Overwrite::kNo);
  const std::vector<float> nan = {std::nanf("")};
  EXPECT_EQ(code_of([&] { writer.write(nan); }), ErrorCode::kInternal);
}

TEST_F(AudioFile, AFullDiskIsAnErrorAndLeavesNoFile) {
  for (const char* name : {"a.wav", "a.flac"}) {
    const FullDisk full(20000);
    const auto write = [&] {
      AudioFileWriter writer(folder_ / name, 48000, 1, SampleFormat::kPcm24, Overwrite::kNo);
      for (int i = 0; i < 20; ++i) writer.write(noise(0.3, 4800, 32));
      writer.finish();
    };
    EXPECT_EQ(code_of(write), ErrorCode::kIo) << name;
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(AudioFile, RefusesWhatItCannotRead) {
  const auto read = [](const fs::path& path) { return [=] { read_audio_file(path); }; };
  EXPECT_EQ(code_of(read(folder_ / "missing.wav")), ErrorCode::kInvalidInput);
  EXPECT_EQ(code_of(read(folder_)), ErrorCode::kInvalidInput);
  EXPECT_EQ(code_of(read(put("empty.wav", ""))), ErrorCode::kInvalidInput);
  EXPECT_EQ(code_of(read(put("text.wav", "this is no sound at all, it is text"))),
            ErrorCode::kInvalidInput);
  EXPECT_EQ(code_of(read(put("head.wav", std::string("RIFF\x24\0\0\0WAVE", 12)))),
            ErrorCode::kInvalidInput);
  EXPECT_EQ(code_of(read(put("sun.wav", std::string(".snd\0\0\0\x18\0\0\0\x04\0\0\0\x03\0\0\xbb\x80"
                                                    "\0\0\0\x01\0\0\0\0",
                                                    28)))),
            ErrorCode::kInvalidInput)
      << "AU is another format";
}

TEST_F(AudioFile, ReadsWhatIsThereOfATruncatedFile) {
  AudioFileWriter writer(folder_ / "a.wav", 48000, 1, SampleFormat::kPcm16, Overwrite::kNo);
  writer.write(sine(440, 0.5, 4800));
  writer.finish();
  const std::string bytes = bytes_of(folder_ / "a.wav");
  const auto cut = read_audio_file(put("cut.wav", bytes.substr(0, bytes.size() - 2000)));
  EXPECT_EQ(cut.length(), 3800);
}

}  // namespace
}  // namespace qingyin::test
