#include "core/media/clip.h"

#include <sys/stat.h>

#include <chrono>
#include <random>

#include "tests/media/media_test.h"

namespace qingyin::test {
namespace {

class ClipTest : public MediaTest {};

TEST_F(ClipTest, StatesTheFactsOfAnOrdinaryClip) {
  const ClipInfo clip = probe(make_base());
  EXPECT_NEAR(clip.duration.count(), 4.0, 1e-9);
  EXPECT_EQ(clip.rate, (FrameRate{30, 1}));
  EXPECT_EQ(clip.width, 320);
  EXPECT_EQ(clip.height, 240);
  EXPECT_EQ(clip.video_stream, 0);
  EXPECT_EQ(clip.audio_stream, 1);
  EXPECT_EQ(clip.streams.at(1).sample_rate_hz, 48000);
  EXPECT_TRUE(clip.warnings.empty());
}

TEST_F(ClipTest, TellsConstantRatesFromVariableOnes) {
  const auto rate_of = [&](const std::string& name, const std::string& source,
                           const Words& options) {
    Words words{"-f", "lavfi", "-i", source};
    words.insert(words.end(), options.begin(), options.end());
    return probe(make(name, words)).rate;
  };
  const Words x264{"-c:v", "libx264", "-preset", "ultrafast"};
  const FrameRate ntsc{30000, 1001};
  EXPECT_EQ(rate_of("a.mp4", "testsrc2=s=64x64:r=30000/1001:d=2", x264), ntsc);
  EXPECT_EQ(rate_of("a.mkv", "testsrc2=s=64x64:r=30000/1001:d=2", x264), ntsc);
  EXPECT_EQ(rate_of("a.ts", "testsrc2=s=64x64:r=30000/1001:d=2", x264), ntsc);
  EXPECT_EQ(rate_of("b.mkv", "testsrc2=s=64x64:r=24000/1001:d=2", x264), (FrameRate{24000, 1001}));
  Words vfr{"-vf", "select='not(mod(n,3))+lt(mod(n,50),10)'", "-fps_mode", "vfr"};
  vfr.insert(vfr.end(), x264.begin(), x264.end());
  EXPECT_TRUE(rate_of("v.mp4", "testsrc2=s=64x64:r=30:d=4", vfr).is_variable());
}

TEST_F(ClipTest, CountsTimeFromTheFirstShownFrame) {
  const fs::path base = make_base();
  const ClipInfo late =
      probe(make("late.ts", {"-i", base, "-c", "copy", "-output_ts_offset", "10"}));
  EXPECT_NEAR(late.duration.count(), 4.0, 1e-3);
  EXPECT_GT(late.start_ticks, 10 * 90000);
  const ClipInfo early = probe(make("early.mkv", {"-i", base, "-c", "copy", "-output_ts_offset",
                                                  "-0.5", "-avoid_negative_ts", "disabled"}));
  EXPECT_NEAR(early.duration.count(), 4.0, 2e-3);
  const ClipInfo cut = probe(make("cut.mp4", {"-ss", "1.3", "-i", base, "-c", "copy"}));
  EXPECT_NEAR(cut.duration.count(), 2.7, 1e-3);
}

TEST_F(ClipTest, StatesTheUprightSizeWithSquarePixels) {
  const fs::path wide = make("sar.mp4", {"-f", "lavfi", "-i", "testsrc2=s=180x144:r=25:d=1", "-vf",
                                         "setsar=64/45", "-c:v", "libx264"});
  EXPECT_EQ(probe(wide).width, 256);
  EXPECT_EQ(probe(wide).height, 144);
  const ClipInfo turned =
      probe(make("turned.mp4", {"-i", wide, "-c", "copy", "-metadata:s:v:0", "rotate=90"}));
  EXPECT_EQ(turned.width, 144);
  EXPECT_EQ(turned.height, 256);
  EXPECT_EQ(turned.rotation_deg, 270);  // this ffmpeg writes the tag as a turn to the left
}

TEST_F(ClipTest, RefusesWhatIsNotAVideoFile) {
  const auto reason = [](const fs::path& path) { return refusal([&] { probe(path); }); };
  EXPECT_EQ(reason(folder() / "missing.mp4"), "not_found");
  EXPECT_EQ(reason(folder()), "not_a_file");
  EXPECT_EQ(reason("/dev/zero"), "not_a_file");
  const fs::path pipe = folder() / "pipe.mp4";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(reason(pipe), "not_a_file");
  EXPECT_EQ(reason(write("zero.mp4", "")), "unreadable");
  EXPECT_EQ(reason(write("one.mp4", std::string(1, '\0'))), "unreadable");
  EXPECT_EQ(reason(write("text.mp4", "this is not a video\n")), "unreadable");
  std::mt19937 random(1);
  std::string noise(65536, '\0');
  for (char& c : noise) c = static_cast<char>(random());
  EXPECT_EQ(reason(write("noise.mp4", noise)), "unreadable");
}

TEST_F(ClipTest, RefusesClipsWithoutAPicture) {
  const Words sine{"-f", "lavfi", "-i", "sine=f=440:d=1"};
  EXPECT_EQ(refusal([&] { probe(make("a.mp4", sine)); }), "no_video");
  Words cover = sine;
  for (const char* word :
       {"-f", "lavfi", "-i", "color=blue:s=64x64:r=1:d=1", "-map", "0", "-map", "1", "-frames:v",
        "1", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-disposition:v", "attached_pic"}) {
    cover.emplace_back(word);
  }
  EXPECT_EQ(refusal([&] { probe(make("cover.m4a", cover)); }), "no_video");
}

TEST_F(ClipTest, TakesTheFilmBesideACover) {
  const ClipInfo clip = probe(make("both.mp4", {"-i",
                                                make_base(),
                                                "-f",
                                                "lavfi",
                                                "-i",
                                                "color=blue:s=640x640:r=1:d=1",
                                                "-map",
                                                "0",
                                                "-map",
                                                "1",
                                                "-c:v:0",
                                                "copy",
                                                "-c:a",
                                                "copy",
                                                "-c:v:1",
                                                "mjpeg",
                                                "-frames:v:1",
                                                "1",
                                                "-pix_fmt:v:1",
                                                "yuvj420p",
                                                "-disposition:v:1",
                                                "attached_pic"}));
  ASSERT_EQ(clip.streams.size(), 3U);
  EXPECT_TRUE(clip.streams[2].is_attached_picture);
  EXPECT_EQ(clip.width, 320);
  EXPECT_NEAR(clip.duration.count(), 4.0, 1e-3);
}

// Each of these opens with ffmpeg's defaults and shows the neighbour's frames.
TEST_F(ClipTest, RefusesPlaylistsInDisguise) {
  const fs::path victim = make_base("victim.ts");
  const auto reason = [&](const std::string& name, const std::string& text) {
    return refusal([&] { probe(write(name, text)); });
  };
  EXPECT_EQ(reason("hls.mp4", "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile://" +
                                  victim.string() + "\n#EXT-X-ENDLIST\n"),
            "unreadable");
  EXPECT_EQ(reason("concat.mp4", "ffconcat version 1.0\nfile victim.ts\n"), "unreadable");
  EXPECT_EQ(reason("sdp.mp4",
                   "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                   "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"),
            "unreadable");
}

TEST_F(ClipTest, RefusesHugePicturesAtOnce) {
  const fs::path bomb =
      make("bomb.mkv", {"-f", "lavfi", "-i", "color=black:s=16000x16000:r=1:d=1,format=gray",
                        "-frames:v", "1", "-c:v", "png"});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(refusal([&] { probe(bomb); }), "limit");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(500));
  // The header lies about a small picture.
  std::string bytes = read_bytes(make_base());
  const auto entry = bytes.find("avc1", bytes.find("stsd"));
  ASSERT_NE(entry, std::string::npos);
  bytes.replace(entry + 28, 4, "\xEA\x60\xEA\x60");
  EXPECT_EQ(refusal([&] { probe(write("lie.mp4", bytes)); }), "limit");
}

TEST_F(ClipTest, KeepsTheLimitsItIsGiven) {
  const fs::path base = make_base();
  EXPECT_EQ(refusal([&] { probe(base, {.max_duration = Seconds(3)}); }), "limit");
  EXPECT_EQ(refusal([&] { probe(base, {.max_frames = 100}); }), "limit");
  EXPECT_EQ(refusal([&] { probe(base, {.max_pixels = 320 * 240 - 1}); }), "limit");
  EXPECT_EQ(refusal([&] { probe(base, {.max_streams = 1}); }), "limit");
}

TEST_F(ClipTest, NeverHandsNamesToFfmpeg) {
  const std::string bytes = read_bytes(make_base());
  for (const std::string name :
       {"-dash.mp4", "with space.mp4", "line\nbreak.mp4", "%03d.mp4", "concat:a|b.mp4",
        "http:::x.mp4", "\xFFnot utf8\xC3.mp4", "'\".mp4"}) {
    EXPECT_NEAR(probe(write(name, bytes)).duration.count(), 4.0, 1e-3) << name;
  }
  fs::create_symlink("-dash.mp4", folder() / "link.mp4");
  EXPECT_NEAR(probe(folder() / "link.mp4").duration.count(), 4.0, 1e-3);
}

TEST_F(ClipTest, SaysThatAClipWasCutOff) {
  const fs::path whole =
      make("front.mp4", {"-i", make_base(), "-c", "copy", "-movflags", "faststart"});
  const std::string bytes = read_bytes(whole);
  const ClipInfo clip = probe(write("cut.mp4", bytes.substr(0, bytes.size() * 6 / 10)));
  EXPECT_LT(clip.duration.count(), 3.5);
  EXPECT_FALSE(clip.warnings.empty());
  // With the index at the end nothing is left to read.
  const std::string base = read_bytes(folder() / "base.mp4");
  EXPECT_EQ(refusal([&] { probe(write("half.mp4", base.substr(0, base.size() / 2))); }),
            "unreadable");
}

// No outcome is prescribed for damage, only that there is one: facts or a refusal.
TEST_F(ClipTest, SurvivesDamage) {
  std::mt19937 random(7);
  const fs::path base = make_base();
  for (const std::string kind : {"mp4", "mkv", "ts", "avi", "flv"}) {
    const std::string whole = read_bytes(make("whole." + kind, {"-i", base, "-c", "copy"}));
    for (int variant = 0; variant < 12; ++variant) {
      std::string bytes = whole;
      const std::size_t range =
          variant % 2 ? bytes.size() : std::min<std::size_t>(4096, bytes.size());
      for (int flip = 0; flip < 60; ++flip) bytes[random() % range] ^= char(1 << random() % 8);
      const fs::path damaged = write("damaged." + kind, bytes);
      const std::string outcome = refusal([&] { all_frames(damaged, {.longest_side = 32}); });
      EXPECT_FALSE(outcome.starts_with("other")) << outcome;
    }
  }
}

}  // namespace
}  // namespace qingyin::test
