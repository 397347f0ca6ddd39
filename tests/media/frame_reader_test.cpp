#include "core/media/frame_reader.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "tests/media/media_test.h"

namespace qingyin::test {
namespace {

class FrameReaderTest : public MediaTest {
 protected:
  // Frame n of 30 per second has the luma 2 n + 16, with no other content.
  fs::path make_ramp(const std::string& name, const Words& options) const {
    Words words{"-f", "lavfi", "-i", "color=black:s=64x48:r=30:d=3,geq=lum='16+2*N':cb=128:cr=128"};
    words.insert(words.end(), options.begin(), options.end());
    return make(name, words);
  }

  // Which frame of the ramp a picture shows.
  static long ramp_frame(const Frame& frame) {
    return std::lround(mean(frame) / 255.0 * 219.0 / 2.0);
  }
};

const Words kExact{"-c:v", "libx264", "-preset", "veryfast", "-qp", "0"};

Words with_exact(Words words) {
  words.insert(words.end(), kExact.begin(), kExact.end());
  return words;
}

TEST_F(FrameReaderTest, YieldsEveryFrameInDisplayOrder) {
  for (const int threads : {1, 4}) {
    const auto frames = all_frames(make_ramp("ramp.mp4", with_exact({"-bf", "3", "-g", "20"})),
                                   {.color = FrameColor::kGrey, .decode_threads = threads});
    ASSERT_EQ(frames.size(), 90U);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      EXPECT_EQ(ramp_frame(frames[i]), static_cast<long>(i));
      EXPECT_NEAR(frames[i].time.count(), static_cast<double>(i) / 30.0, 1e-6);
    }
  }
}

// The n-th frame of an AVI has no presentation time of its own.
TEST_F(FrameReaderTest, OrdersFramesOfAviWithBFrames) {
  const auto frames =
      all_frames(make_ramp("ramp.avi", with_exact({"-bf", "3"})), {.color = FrameColor::kGrey});
  ASSERT_EQ(frames.size(), 90U);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(ramp_frame(frames[i]), static_cast<long>(i));
    EXPECT_NEAR(frames[i].time.count(), static_cast<double>(i) / 30.0, 1e-6);
  }
}

// A caller that takes its time is no fault of the file: rendering comes between two reads.
TEST_F(FrameReaderTest, WaitsForASlowCaller) {
  MediaLimits limits;
  limits.no_progress = Seconds(0.3);
  const auto reader = open_frames(make_ramp("slow.mp4", kExact), {}, limits);
  for (int n = 0; n < 60; ++n) {
    if (n % 29 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(400));
    EXPECT_TRUE(reader->next());
  }
}

TEST_F(FrameReaderTest, HoldsTheFrameThatIsShown) {
  const auto shown = [](long n) { return n % 3 == 0 || n % 50 < 10; };
  for (const std::string name : {"vfr.mp4", "vfr.mkv"}) {
    const fs::path clip = make_ramp(
        name, with_exact({"-vf", "select='not(mod(n,3))+lt(mod(n,50),10)'", "-fps_mode", "vfr"}));
    const FrameRate rate{24, 1};
    const auto frames = all_frames(clip, {.rate = rate, .color = FrameColor::kGrey});
    const double duration = probe(clip).duration.count();
    EXPECT_EQ(frames.size(), static_cast<std::size_t>(std::ceil(duration * 24 - 0.02)));
    for (std::size_t k = 0; k < frames.size(); ++k) {
      EXPECT_DOUBLE_EQ(frames[k].time.count(), static_cast<double>(k) / 24.0);
      auto wanted = static_cast<long>(std::floor(static_cast<double>(k) / 24.0 * 30.0 + 1e-6));
      while (!shown(wanted)) --wanted;
      EXPECT_EQ(ramp_frame(frames[k]), wanted) << name << " at " << frames[k].time.count();
    }
  }
}

// A container that counts in milliseconds must not turn its own rate into doubled frames.
TEST_F(FrameReaderTest, OwnRateYieldsEachFrameOnce) {
  for (const std::string name : {"own.mkv", "own.ts", "own.mp4"}) {
    const auto frames = all_frames(make_ramp(name, with_exact({"-bf", "2"})),
                                   {.rate = FrameRate{30, 1}, .color = FrameColor::kGrey});
    ASSERT_EQ(frames.size(), 90U) << name;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      EXPECT_EQ(ramp_frame(frames[i]), static_cast<long>(i)) << name;
    }
  }
}

TEST_F(FrameReaderTest, FindsAFlashWithinAMillisecond) {
  const Words source{"-f", "lavfi", "-i",
                     "color=black:s=64x48:r=30:d=3,drawbox=c=white:t=fill:enable='eq(n,60)'"};
  const auto flash_of = [](const fs::path& clip) {
    const auto frames = all_frames(clip, {.color = FrameColor::kGrey});
    const auto flash =
        std::max_element(frames.begin(), frames.end(),
                         [](const auto& a, const auto& b) { return mean(a) < mean(b); });
    return flash->time.count();
  };
  Words plain = source;
  for (const char* word : {"-c:v", "libx264", "-bf", "3", "-g", "30"}) plain.emplace_back(word);
  const fs::path base = make("flash.mp4", plain);
  EXPECT_NEAR(flash_of(base), 2.0, 1e-3);
  Words vfr = plain;
  vfr[3] =
      "color=black:s=64x48:r=30:d=3,drawbox=c=white:t=fill:enable='eq(n,60)',"
      "select='not(mod(n,4))+gt(n,70)'";
  vfr.insert(vfr.end(), {"-fps_mode", "vfr"});
  EXPECT_NEAR(flash_of(make("vfr.mp4", vfr)), 2.0, 1e-3);
  EXPECT_NEAR(flash_of(make("cut.mp4", {"-ss", "1.3", "-i", base, "-c", "copy"})), 0.7, 1e-3);
  EXPECT_NEAR(
      flash_of(make("turned.mp4", {"-i", base, "-c", "copy", "-metadata:s:v:0", "rotate=90"})), 2.0,
      1e-3);
  EXPECT_NEAR(flash_of(make("late.ts", {"-i", base, "-c", "copy", "-output_ts_offset", "95440"})),
              2.0, 1e-3);
  EXPECT_NEAR(flash_of(make("early.mkv", {"-i", base, "-c", "copy", "-output_ts_offset", "-0.5",
                                          "-avoid_negative_ts", "disabled"})),
              2.0, 1e-3);
  EXPECT_NEAR(flash_of(make("open.mp4", {"-i", base, "-c:v", "libx264", "-bf", "5", "-x264-params",
                                         "open-gop=1:keyint=20:b-pyramid=normal"})),
              2.0, 1e-3);
}

// The oracle is ffmpeg's own turning of the picture.
TEST_F(FrameReaderTest, TurnsThePictureUpright) {
  const fs::path base = make("flat.mp4", {"-f", "lavfi", "-i", "testsrc2=s=96x64:r=10:d=0.2",
                                          "-c:v", "libx264", "-qp", "0", "-pix_fmt", "yuv420p"});
  for (const std::string turn : {"90", "180", "270"}) {
    const fs::path clip = make("turned" + turn + ".mp4",
                               {"-i", base, "-c", "copy", "-metadata:s:v:0", "rotate=" + turn});
    const auto frames = all_frames(clip, {.color = FrameColor::kGrey});
    const std::string wanted =
        read_bytes(make("wanted" + turn + ".raw",
                        {"-i", clip, "-frames:v", "1", "-vf", "format=gray", "-f", "rawvideo"}));
    ASSERT_EQ(frames.at(0).pixels.size(), wanted.size());
    EXPECT_EQ(frames[0].width, turn == "180" ? 96 : 64);
    double error = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      error +=
          std::abs(static_cast<int>(frames[0].pixels[i]) - static_cast<std::uint8_t>(wanted[i]));
    }
    EXPECT_LT(error / static_cast<double>(wanted.size()), 1.5) << turn;
  }
}

// The oracle is ffmpeg's conversion of the same file; grey and colour, all kinds of formats.
TEST_F(FrameReaderTest, ReadsEveryPixelFormat) {
  for (const std::string format :
       {"yuv420p", "yuv422p", "yuv444p", "yuv411p", "yuv440p", "gray", "yuv420p10le", "yuv422p12le",
        "yuv444p16le", "gbrp", "gbrp12le", "bgr0", "gray16le", "rgb48le"}) {
    const fs::path clip = make("pix.mkv", {"-f", "lavfi", "-i", "testsrc2=s=96x64:r=10:d=0.1",
                                           "-c:v", "ffv1", "-pix_fmt", format});
    for (const FrameColor color : {FrameColor::kGrey, FrameColor::kRgb}) {
      const auto frames = all_frames(clip, {.longest_side = 48, .color = color});
      ASSERT_EQ(frames.size(), 1U) << format;
      EXPECT_EQ(frames[0].width, 48);
      EXPECT_EQ(frames[0].height, 32);
      const std::string wanted = read_bytes(
          make("wanted.raw",
               {"-i", clip, "-vf", "scale=48:32:flags=area+accurate_rnd+full_chroma_int",
                "-pix_fmt", color == FrameColor::kGrey ? "gray" : "rgb24", "-f", "rawvideo"}));
      ASSERT_EQ(frames[0].pixels.size(), wanted.size()) << format;
      double error = 0;
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        error +=
            std::abs(static_cast<int>(frames[0].pixels[i]) - static_cast<std::uint8_t>(wanted[i]));
      }
      EXPECT_LT(error / static_cast<double>(wanted.size()), 2.5)
          << format << (color == FrameColor::kGrey ? " grey" : " colour");
    }
  }
}

TEST_F(FrameReaderTest, MapsBothRangesToFullScale) {
  for (const std::string range : {"tv", "pc"}) {
    const fs::path clip =
        make("range_" + range + ".mp4", {"-f", "lavfi", "-i", "color=white:s=64x64:r=10:d=0.2",
                                         "-vf", "scale=out_range=" + range, "-color_range", range,
                                         "-c:v", "libx264", "-pix_fmt", "yuv420p"});
    EXPECT_NEAR(mean(all_frames(clip, {.color = FrameColor::kGrey}).at(0)), 255, 1.5) << range;
    EXPECT_NEAR(mean(all_frames(clip, {.color = FrameColor::kRgb}).at(0)), 255, 1.5) << range;
  }
}

TEST_F(FrameReaderTest, SeesTransparencyOnBlack) {
  const fs::path clip = make(
      "alpha.mov",
      {"-f", "lavfi", "-i", "color=white@0.5:s=64x48:r=10:d=0.2,format=argb", "-c:v", "qtrle"});
  EXPECT_NEAR(mean(all_frames(clip, {.color = FrameColor::kGrey}).at(0)), 127, 3);
  EXPECT_NEAR(mean(all_frames(clip, {.color = FrameColor::kRgb}).at(0)), 127, 3);
}

TEST_F(FrameReaderTest, ReadsOddSizesInterlacedAndHdr) {
  const fs::path odd = make("odd.webm", {"-f", "lavfi", "-i", "testsrc=s=161x121:r=30:d=0.3",
                                         "-c:v", "libvpx", "-pix_fmt", "yuv420p"});
  EXPECT_EQ(all_frames(odd, {.longest_side = 40}).at(0).height, 30);
  const fs::path interlaced =
      make("inter.mp4", {"-f", "lavfi", "-i", "testsrc2=s=320x240:r=50:d=1", "-vf",
                         "tinterlace=interleave_top,format=yuv420p", "-flags", "+ilme+ildct",
                         "-c:v", "libx264", "-x264opts", "tff=1"});
  EXPECT_EQ(all_frames(interlaced, {}).size(), 25U);
  const fs::path hdr =
      make("pq.mp4",
           {"-f", "lavfi", "-i", "color=gray:s=64x64:r=10:d=0.2", "-c:v", "libx265", "-x265-params",
            "log-level=error:colorprim=9:transfer=16:colormatrix=9", "-pix_fmt", "yuv420p10le"});
  // Half of PQ's code range is about 92 cd/m2: darker than diffuse white, not black.
  const double level = mean(all_frames(hdr, {.color = FrameColor::kGrey}).at(0));
  EXPECT_GT(level, 100);
  EXPECT_LT(level, 200);
}

TEST_F(FrameReaderTest, KeepsItsSizeWhenTheStreamChanges) {
  const Words x264{"-c:v", "libx264", "-pix_fmt", "yuv420p"};
  const auto part = [&](const std::string& name, const std::string& size) {
    Words words{"-f", "lavfi", "-i", "testsrc2=s=" + size + ":r=25:d=1"};
    words.insert(words.end(), x264.begin(), x264.end());
    return read_bytes(make(name, words));
  };
  const fs::path joined = write("joined.ts", part("a.ts", "160x120") + part("b.ts", "320x240"));
  const auto frames = all_frames(joined, {.color = FrameColor::kGrey});
  EXPECT_GE(frames.size(), 48U);
  for (const Frame& frame : frames) EXPECT_EQ(frame.pixels.size(), 160U * 120U);
  // The second half's stamps start anew; its frames come after the first half all the same.
  EXPECT_NEAR(frames.back().time.count(), 2.0, 0.1);
}

TEST_F(FrameReaderTest, SkipsDamageAndSaysSo) {
  const fs::path damaged =
      make("damaged.mkv", {"-i", make_base(), "-c", "copy", "-bsf:v", "noise=amount=200"});
  const auto reader = open_frames(damaged);
  std::size_t count = 0;
  while (reader->next()) ++count;
  EXPECT_GT(count, 60U);
  EXPECT_FALSE(reader->warnings().empty());
}

TEST_F(FrameReaderTest, YieldsOneFrameOfOne) {
  const fs::path one = make("one.mp4", {"-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=1",
                                        "-frames:v", "1", "-c:v", "libx264"});
  EXPECT_EQ(all_frames(one, {}).size(), 1U);
  EXPECT_EQ(all_frames(one, {.rate = FrameRate{10, 1}}).size(), 1U);
}

TEST_F(FrameReaderTest, RefusesSenselessRequests) {
  const ClipInfo clip = probe(make_base());
  EXPECT_THROW(open_frames(clip, {.rate = FrameRate{0, 1}}), Error);
  EXPECT_THROW(open_frames(clip, {.longest_side = -1}), Error);
}

}  // namespace
}  // namespace qingyin::test
