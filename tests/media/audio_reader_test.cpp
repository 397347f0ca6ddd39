#include "core/media/audio_reader.h"

#include <cmath>

#include "tests/media/media_test.h"

namespace qingyin::test {
namespace {

class AudioReaderTest : public MediaTest {
 protected:
  // A second of silence, an impulse, silence again: 44.1 kHz under a black picture.
  Words impulse() const {
    return {"-f",   "lavfi",  "-i", "color=black:s=64x48:r=25:d=4",
            "-f",   "lavfi",  "-i", "aevalsrc='if(eq(n,44100),0.9,0)':s=44100:d=4",
            "-c:v", "libx264"};
  }
  fs::path make_impulse(const std::string& name, const Words& options) const {
    Words words = impulse();
    words.insert(words.end(), options.begin(), options.end());
    return make(name, words);
  }
};

std::vector<float> sound_of(const fs::path& path) {
  const ClipInfo clip = probe(path);
  const auto reader = open_audio(clip);
  std::vector<float> samples(2 * static_cast<std::size_t>(samples_for(clip.duration, 48000)));
  // An odd block size: what is read must not depend on it.
  for (std::size_t i = 0; i < samples.size(); i += 2 * 777) {
    reader->read(std::span(samples).subspan(i, std::min<std::size_t>(2 * 777, samples.size() - i)));
  }
  return samples;
}

long peak_of(const std::vector<float>& samples) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < samples.size(); i += 2) {
    if (std::abs(samples[i]) > std::abs(samples[best])) best = i;
  }
  return static_cast<long>(best / 2);
}

TEST_F(AudioReaderTest, PutsAnImpulseWhereItWas) {
  const auto pcm = sound_of(make_impulse("pcm.mov", {"-c:a", "pcm_s16le"}));
  EXPECT_EQ(peak_of(pcm), 48000);
  EXPECT_NEAR(pcm[2 * 48000], 0.9, 0.02);
  EXPECT_EQ(pcm[2 * 48000], pcm[2 * 48000 + 1]);  // one channel is heard on both, at its level
  EXPECT_NEAR(peak_of(sound_of(make_impulse("aac.mp4", {"-c:a", "aac"}))), 48000, 1);
  EXPECT_NEAR(peak_of(sound_of(make_impulse("aac.ts", {"-c:a", "aac"}))), 48000, 2);
  EXPECT_NEAR(peak_of(sound_of(make_impulse("mp3.mkv", {"-c:a", "libmp3lame"}))), 48000, 48);
  EXPECT_NEAR(peak_of(sound_of(make_impulse("flac.mkv", {"-c:a", "flac"}))), 48000, 48);
}

TEST_F(AudioReaderTest, KeepsTheOffsetToThePicture) {
  const fs::path base = make_impulse("base.mov", {"-c:a", "pcm_s16le"});
  const fs::path late = make("late.mov", {"-i", base, "-itsoffset", "0.25", "-i", base, "-map",
                                          "0:v", "-map", "1:a", "-c", "copy"});
  EXPECT_NEAR(peak_of(sound_of(late)), 60000, 2);
  const fs::path early = make("early.mkv", {"-itsoffset", "0.4", "-i", base, "-i", base, "-map",
                                            "0:v", "-map", "1:a", "-c", "copy"});
  EXPECT_NEAR(peak_of(sound_of(early)), 28800, 96);
  const fs::path shifted = make("shift.ts", {"-i", make_impulse("x.ts", {"-c:a", "aac"}), "-c",
                                             "copy", "-output_ts_offset", "10"});
  EXPECT_NEAR(peak_of(sound_of(shifted)), 48000, 2);
}

TEST_F(AudioReaderTest, FillsGapsWithSilence) {
  // The packets of half a second are missing; what follows stays where it was.
  const fs::path gap = make("gap.mkv", {"-i", make_impulse("whole.mkv", {"-c:a", "flac"}), "-c",
                                        "copy", "-bsf:a", "noise=drop='between(pts*tb,0.2,0.7)'"});
  EXPECT_NEAR(peak_of(sound_of(gap)), 48000, 48);
}

TEST_F(AudioReaderTest, EndsInSilence) {
  const fs::path clip =
      make("short.mp4", {"-f", "lavfi", "-i", "color=black:s=64x48:r=25:d=2", "-f", "lavfi", "-i",
                         "sine=f=440:r=48000:d=1", "-c:v", "libx264", "-c:a", "aac"});
  const auto samples = sound_of(clip);
  ASSERT_EQ(samples.size(), 2U * 96000U);
  double first = 0, second = 0;
  for (std::size_t i = 0; i < 2 * 47000; ++i) first += std::abs(samples[i]);
  for (std::size_t i = 2 * 50000; i < samples.size(); ++i) second += std::abs(samples[i]);
  EXPECT_GT(first / 94000, 0.05);
  EXPECT_EQ(second, 0);
}

TEST_F(AudioReaderTest, MixesSurroundWithoutClipping) {
  const fs::path clip =
      make("s51.mkv", {"-f", "lavfi", "-i", "color=black:s=64x48:r=25:d=1", "-f", "lavfi", "-i",
                       "aevalsrc='0.9|0.9|0.9|0|0.9|0.9':c=5.1:s=48000:d=1", "-c:v", "libx264",
                       "-c:a", "pcm_f32le"});
  for (const float value : sound_of(clip)) EXPECT_LE(std::abs(value), 1.0F);
}

TEST_F(AudioReaderTest, RefusesClipsWithoutSound) {
  const fs::path mute = make("mute.mp4", {"-i", make_base(), "-an", "-c", "copy"});
  EXPECT_EQ(refusal([&] { open_audio(probe(mute)); }), "no_audio");
}

}  // namespace
}  // namespace qingyin::test
