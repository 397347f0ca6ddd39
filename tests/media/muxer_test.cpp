#include "core/media/muxer.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <csignal>

#include "core/media/audio_reader.h"
#include "tests/media/media_test.h"

namespace qingyin::test {
namespace {

class MuxerTest : public MediaTest {
 protected:
  void SetUp() override {
    MediaTest::SetUp();
    if (IsSkipped()) return;
    out_ = folder() / "out";
    fs::create_directory(out_);
  }

  const fs::path& out() const { return out_; }
  bool nothing_left() const { return fs::is_empty(out_); }

 private:
  fs::path out_;
};

// Sound that is silent but for impulses at a third and at the very end.
fs::path mux(const ClipInfo& clip, const MuxRequest& request) {
  const auto muxer = open_muxer(clip, request);
  std::vector<float> block;
  for (std::int64_t at = 0; at < muxer->length();) {
    const std::int64_t count = std::min<std::int64_t>(1000, muxer->length() - at);
    block.assign(static_cast<std::size_t>(2 * count), 0.0F);
    for (const std::int64_t impulse : {muxer->length() / 3, muxer->length() - 1}) {
      if (impulse < at || impulse >= at + count) continue;
      const float level = impulse == muxer->length() - 1 ? 0.3F : 0.9F;
      block[static_cast<std::size_t>(2 * (impulse - at))] = level;
      block[static_cast<std::size_t>(2 * (impulse - at) + 1)] = level;
    }
    muxer->write(block);
    at += count;
  }
  muxer->finish();
  return request.target;
}

long peak_of(const std::vector<float>& samples) {
  std::size_t best = 0;
  for (std::size_t i = 0; i < samples.size(); i += 2) {
    if (std::abs(samples[i]) > std::abs(samples[best])) best = i;
  }
  return static_cast<long>(best / 2);
}

std::vector<float> our_sound(const fs::path& path, std::int64_t length) {
  std::vector<float> samples(static_cast<std::size_t>(2 * length));
  open_audio(probe(path))->read(samples);
  return samples;
}

std::vector<double> shown_times(const fs::path& path) {
  std::vector<double> times;
  for (const Frame& frame : all_frames(path, {.longest_side = 16, .color = FrameColor::kGrey})) {
    times.push_back(frame.time.count());
  }
  return times;
}

// What must hold for every copy: the sound exact and aligned, the same frames at the same times.
void check_copy(const ClipInfo& clip, const fs::path& copy) {
  const std::int64_t length = samples_for(clip.duration, 48000);
  const auto decoded = ffmpeg_sound(copy);
  EXPECT_EQ(decoded.size(), static_cast<std::size_t>(2 * length));
  EXPECT_NEAR(peak_of(decoded), length / 3, 1);
  EXPECT_NEAR(peak_of(our_sound(copy, length)), length / 3, 1);
  EXPECT_GT(std::abs(decoded.at(static_cast<std::size_t>(2 * length - 2))), 0.1F);
  const ClipInfo made = probe(copy);
  EXPECT_NEAR(made.duration.count(), clip.duration.count(), 1.1e-3);
  EXPECT_EQ(made.rotation_deg, clip.rotation_deg);
  EXPECT_EQ(made.width, clip.width);
  EXPECT_EQ(made.streams.at(static_cast<std::size_t>(*made.audio_stream)).sample_rate_hz, 48000);
  const auto before = shown_times(clip.path), after = shown_times(copy);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(before[i], after[i], 1.1e-3);
}

TEST_F(MuxerTest, CopiesThePictureBitForBit) {
  const fs::path base = make_base();
  const auto same = [&](const std::string& name, const Words& options) {
    SCOPED_TRACE(name);
    Words words{"-i", base};
    words.insert(words.end(), options.begin(), options.end());
    const ClipInfo clip = probe(make(name, words));
    const fs::path copy = mux(clip, {.target = target_for(clip, out())});
    EXPECT_EQ(copy.filename(), name);
    EXPECT_EQ(packet_hashes(copy), packet_hashes(clip.path));
    EXPECT_GE(packet_hashes(copy).size(), 30U);
    check_copy(clip, copy);
  };
  same("a.mp4", {"-c", "copy"});
  same("a.m4v", {"-c", "copy", "-f", "mp4"});
  same("b.mov", {"-c", "copy"});
  same("c.mkv", {"-c", "copy"});
  same("d.webm", {"-t", "1", "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-c:a",
                  "libvorbis"});
  same("fragmented.mp4", {"-c", "copy", "-movflags", "frag_keyframe+empty_moov"});
  same("hevc.mp4", {"-t", "1", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
                    "log-level=error:pools=1", "-tag:v", "hvc1", "-an"});
}

TEST_F(MuxerTest, KeepsTheTimesOfOddClips) {
  const fs::path base = make_base();
  const auto check = [&](const std::string& name, const Words& words) {
    SCOPED_TRACE(name);
    const ClipInfo clip = probe(make(name, words));
    const fs::path copy = mux(clip, {.target = target_for(clip, out())});
    EXPECT_EQ(packet_hashes(copy), packet_hashes(clip.path));
    check_copy(clip, copy);
  };
  check("edit_list.mp4", {"-ss", "1.3", "-i", base, "-c", "copy"});
  check("turned.mp4", {"-i", base, "-c", "copy", "-metadata:s:v:0", "rotate=90"});
  check("negative.mkv",
        {"-i", base, "-c", "copy", "-output_ts_offset", "-0.5", "-avoid_negative_ts", "disabled"});
  check("late_picture.mkv",
        {"-itsoffset", "0.4", "-i", base, "-i", base, "-map", "0:v", "-map", "1:a", "-c", "copy"});
  check("late_picture.mp4",
        {"-itsoffset", "0.4", "-i", base, "-i", base, "-map", "0:v", "-map", "1:a", "-c", "copy"});
  check("vfr.mp4", {"-i", base, "-vf", "select='not(mod(n,3))+lt(mod(n,50),10)'", "-fps_mode",
                    "vfr", "-c:v", "libx264", "-an"});
  check("ntsc.mp4",
        {"-f", "lavfi", "-i", "testsrc2=s=64x64:r=30000/1001:d=1.2", "-c:v", "libx264"});
  check("one.mp4", {"-i", base, "-frames:v", "1", "-c:v", "libx264", "-an"});
  check("sar.mp4", {"-f", "lavfi", "-i", "testsrc2=s=180x144:r=25:d=1", "-vf", "setsar=64/45",
                    "-c:v", "mpeg4"});
}

// Start codes become lengths in MP4: the coded slices themselves are compared.
Words slices(const fs::path& elementary) {
  const std::string bytes = read_bytes(elementary);
  const std::string code("\0\0\1", 3);
  Words result;
  for (std::size_t at = bytes.find(code); at != std::string::npos;) {
    const std::size_t next = bytes.find(code, at + 3);
    std::string unit = bytes.substr(at + 3, next == std::string::npos ? next : next - at - 3);
    while (unit.ends_with('\0')) unit.pop_back();
    const int kind = unit.empty() ? 0 : unit[0] & 31;
    if (kind >= 1 && kind <= 5) result.push_back(unit);
    at = next;
  }
  return result;
}

TEST_F(MuxerTest, TurnsTransportStreamsAndAviIntoMp4) {
  const fs::path base = make_base();
  for (const std::string name : {"x.ts", "x.avi"}) {
    const ClipInfo clip = probe(make(name, {"-i", base, "-c:v", "copy", "-c:a", "mp2"}));
    const fs::path copy =
        mux(clip, {.target = target_for(clip, out()), .overwrite = Overwrite::kYes});
    EXPECT_EQ(copy.filename(), "x.mp4");
    const auto elementary = [&](const fs::path& from, const std::string& to) {
      return slices(make(to, {"-i", from, "-map", "0:v", "-c", "copy", "-f", "h264"}));
    };
    EXPECT_EQ(elementary(copy, "out.h264"), elementary(clip.path, "in.h264"));
    EXPECT_EQ(slices(folder() / "out.h264").size(), 120U);
    check_copy(clip, copy);
  }
  const ClipInfo theora = probe(make("t.ogv", {"-i", base, "-t", "1", "-c:v", "libtheora", "-an"}));
  EXPECT_EQ(target_for(theora, out()).filename(), "t.mkv");
  check_copy(theora, mux(theora, {.target = target_for(theora, out())}));
}

TEST_F(MuxerTest, KeepsTheOtherStreamsChaptersAndMetadata) {
  const fs::path subtitles = write(
      "s.srt", "1\n00:00:00,500 --> 00:00:01,500\nfirst\n\n2\n00:00:02,000 --> 00:00:03,000\nx\n");
  const fs::path chapters =
      write("c.txt",
            ";FFMETADATA1\ntitle=A film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=2000\n"
            "title=one\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=2000\nEND=4000\ntitle=two\n");
  for (const std::string extension : {"mp4", "mkv"}) {
    SCOPED_TRACE(extension);
    const ClipInfo clip = probe(make("in." + extension, {"-i",
                                                         make_base(),
                                                         "-i",
                                                         subtitles,
                                                         "-i",
                                                         chapters,
                                                         "-map",
                                                         "0",
                                                         "-map",
                                                         "1",
                                                         "-map_metadata",
                                                         "2",
                                                         "-map_chapters",
                                                         "2",
                                                         "-c",
                                                         "copy",
                                                         "-c:s",
                                                         extension == "mp4" ? "mov_text" : "srt",
                                                         "-metadata:s:s:0",
                                                         "language=fre"}));
    const fs::path copy = mux(clip, {.target = target_for(clip, out()),
                                     .keep_original_audio_tracks = true,
                                     .metadata = {{"comment", "by hand"}, {"engine", "none"}}});
    const ClipInfo made = probe(copy);
    ASSERT_GE(made.streams.size(), 4U);
    EXPECT_EQ(made.streams[1].kind, StreamKind::kAudio);
    EXPECT_TRUE(made.streams[1].is_default);
    EXPECT_EQ(made.audio_stream, 1);
    EXPECT_EQ(std::count_if(made.streams.begin(), made.streams.end(),
                            [](const auto& s) { return s.kind == StreamKind::kAudio; }),
              2);
    EXPECT_EQ(std::count_if(made.streams.begin(), made.streams.end(),
                            [](const auto& s) {
                              return s.kind == StreamKind::kSubtitle && s.language == "fre";
                            }),
              1);
    const std::string facts =
        output_of({"ffprobe", "-v", "error", "-show_chapters", "-show_format", copy});
    const std::string engine = extension == "mp4" ? "engine=none" : "ENGINE=none";
    for (const std::string& text : {std::string("title=one"), std::string("title=two"),
                                    std::string("A film"), std::string("by hand"), engine}) {
      EXPECT_NE(facts.find(text), std::string::npos) << text;
    }
    EXPECT_EQ(ffmpeg_sound(copy).size(), 2U * 192000U);
  }
}

TEST_F(MuxerTest, SaysWhatAContainerCannotHold) {
  const fs::path subtitles = write("s.srt", "1\n00:00:00,500 --> 00:00:01,500\nfirst\n");
  const ClipInfo clip = probe(make("in.mkv", {"-i", make_base(), "-i", subtitles, "-c", "copy"}));
  const auto muxer = open_muxer(clip, {.target = out() / "o.mp4"});
  ASSERT_EQ(muxer->notes().size(), 1U);
  EXPECT_NE(muxer->notes()[0].find("subtitle"), std::string::npos);
}

TEST_F(MuxerTest, RefusesContainersThatDoNotFit) {
  const ClipInfo clip = probe(make_base());
  for (const std::string name : {"o.webm", "o.avi", "o"}) {
    try {
      open_muxer(clip, {.target = out() / name});
      FAIL() << name << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_NE(std::string(error.what()).find(".mp4"), std::string::npos);
    }
  }
  EXPECT_TRUE(nothing_left());
}

TEST_F(MuxerTest, LeavesNothingBehindWhenItIsGivenUp) {
  const ClipInfo clip = probe(make_base());
  {
    const auto muxer = open_muxer(clip, {.target = out() / "o.mp4"});
    muxer->write(std::vector<float>(20000));
  }
  EXPECT_TRUE(nothing_left());
  const auto muxer = open_muxer(clip, {.target = out() / "o.mp4"});
  muxer->write(std::vector<float>(20000));
  EXPECT_THROW(muxer->finish(), Error);  // too little sound
  EXPECT_THROW(muxer->write(std::vector<float>(2 * 192000)), Error);
}

TEST_F(MuxerTest, NeverOverwritesUnasked) {
  const ClipInfo clip = probe(make_base());
  const fs::path target = write("o.mp4", "precious");
  try {
    open_muxer(clip, {.target = target});
    FAIL() << "an existing file was accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kIo);
  }
  EXPECT_EQ(read_bytes(target), "precious");
  check_copy(clip, mux(clip, {.target = target, .overwrite = Overwrite::kYes}));
}

// A file size limit stands for the full disk: every write beyond it fails, at any point.
TEST_F(MuxerTest, FailsWithoutATraceOnAFullDisk) {
  const ClipInfo clip = probe(make_base());
  for (const std::string name : {"o.mp4", "o.mkv"}) {
    const auto size = fs::file_size(mux(clip, {.target = folder() / name}));
    for (const std::uintmax_t limit :
         {std::uintmax_t{0}, std::uintmax_t{1000}, size / 2, size - 1}) {
      rlimit before{};
      ::getrlimit(RLIMIT_FSIZE, &before);
      const auto handler = std::signal(SIGXFSZ, SIG_IGN);
      const rlimit tight{limit, before.rlim_max};
      ::setrlimit(RLIMIT_FSIZE, &tight);
      ErrorCode code = ErrorCode::kInternal;
      bool failed = false;
      try {
        mux(clip, {.target = out() / name});
      } catch (const Error& error) {
        failed = true;
        code = error.code();
      }
      ::setrlimit(RLIMIT_FSIZE, &before);
      std::signal(SIGXFSZ, handler);
      EXPECT_TRUE(failed) << name << " " << limit;
      EXPECT_EQ(code, ErrorCode::kIo) << name << " " << limit;
      EXPECT_TRUE(nothing_left()) << name << " " << limit;
    }
  }
}

TEST_F(MuxerTest, WritesTheSameBytesTwice) {
  const ClipInfo clip = probe(make_base());
  for (const std::string extension : {"mp4", "mkv"}) {
    const fs::path first = mux(clip, {.target = out() / ("a." + extension)});
    const fs::path second = mux(clip, {.target = out() / ("b." + extension)});
    EXPECT_EQ(read_bytes(first), read_bytes(second));
  }
}

}  // namespace
}  // namespace qingyin::test
