#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "core/media/muxer.h"
#include "tests/media/media_test.h"

// A flash is burnt into clips whose clocks are odd. Our reader says when it is shown, a click is
// put there, and FFmpeg's own program measures both in the copy, each by the container's time
// stamps.

namespace qingyin::test {
namespace {

constexpr double kLimitS = 0.001;
constexpr double kBright = 128;

class CueTest : public MediaTest {
 protected:
  /// A dark picture of 4 s that is white around 2.5 s, with B-frames and a sound.
  fs::path make_flash(const std::string& name, const std::string& rate = "30",
                      const Words& more = {"-c:a", "aac"}) const {
    Words arguments{"-f",
                    "lavfi",
                    "-i",
                    "color=black:s=160x120:r=" + rate +
                        ":d=4,drawbox=c=white:t=fill:enable='between(t,2.5,2.65)'",
                    "-f",
                    "lavfi",
                    "-i",
                    "sine=f=440:d=4",
                    "-c:v",
                    "libx264",
                    "-g",
                    "24",
                    "-bf",
                    "3",
                    "-pix_fmt",
                    "yuv420p"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return make(name, arguments);
  }

  fs::path remux(const std::string& name, const Words& before, const Words& after) const {
    Words arguments = before;
    arguments.insert(arguments.end(), {"-i", (folder() / "flash.mp4").native()});
    arguments.insert(arguments.end(), after.begin(), after.end());
    return make(name, arguments);
  }

  /// How far the click lies behind the flash in the copy of a clip, in seconds.
  double click_after_flash(const fs::path& path) {
    const ClipInfo clip = probe(path);
    const double flash = flash_by_reader(clip);
    const auto out = folder() / "out";
    fs::create_directory(out);
    const auto target = target_for(clip, out);
    put_click(clip, flash, target);
    return click_time(target) - flash_time(target);
  }

 private:
  static double flash_by_reader(const ClipInfo& clip) {
    const auto reader = open_frames(clip, {.longest_side = 32, .color = FrameColor::kGrey});
    while (const auto frame = reader->next()) {
      if (mean(*frame) > kBright) return frame->time.count();
    }
    ADD_FAILURE() << "no flash in " << clip.path;
    return 0;
  }

  static void put_click(const ClipInfo& clip, double at, const fs::path& target) {
    const auto muxer = open_muxer(clip, {.target = target, .overwrite = Overwrite::kYes});
    std::vector<float> sound(static_cast<std::size_t>(2 * muxer->length()));
    const auto begin = static_cast<std::size_t>(std::llround(at * 48000));
    for (std::size_t i = begin; i < begin + 48 && 2 * i + 1 < sound.size(); ++i) {
      sound[2 * i] = sound[2 * i + 1] = 0.9F * std::sin(0.8F * static_cast<float>(i - begin));
    }
    muxer->write(sound);
    muxer->finish();
  }

  // The container's time of the first bright picture.
  static double flash_time(const fs::path& path) {
    const std::string text = output_of(
        {"ffmpeg", "-v", "error", "-nostdin", "-copyts", "-i", path, "-map", "0:v:0", "-vf",
         "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "-f", "null", "-"});
    std::istringstream lines(text);
    double time = NAN;
    for (std::string line; std::getline(lines, line);) {
      if (const auto at = line.find("pts_time:"); at != std::string::npos) {
        time = std::atof(line.c_str() + at + 9);
      }
      const auto at = line.find("YAVG=");
      if (at != std::string::npos && std::atof(line.c_str() + at + 5) > kBright) return time;
    }
    ADD_FAILURE() << "no flash in " << path;
    return NAN;
  }

  // The container's time of the first sample of the click; sample 0 of the decoded sound is put on
  // time 0.
  static double click_time(const fs::path& path) {
    const std::string bytes =
        output_of({"ffmpeg", "-v", "error", "-nostdin", "-copyts", "-i", path, "-map", "0:a:0",
                   "-af", "aresample=48000:first_pts=0", "-ac", "1", "-f", "f32le", "-"});
    const auto* samples = reinterpret_cast<const float*>(bytes.data());
    const std::size_t count = bytes.size() / sizeof(float);
    const float* peak = std::max_element(
        samples, samples + count, [](float a, float b) { return std::abs(a) < std::abs(b); });
    if (count == 0 || std::abs(*peak) < 0.2F) {
      ADD_FAILURE() << "no click in " << path;
      return NAN;
    }
    const float* first = std::find_if(
        samples, peak, [&](float value) { return std::abs(value) > 0.4F * std::abs(*peak); });
    return static_cast<double>(first - samples) / 48000;
  }
};

TEST_F(CueTest, AClickLiesOnItsFlashWhateverTheClockIsLike) {
  make_flash("flash.mp4");
  const Words copy{"-c", "copy"};
  const std::vector<fs::path> clips{
      folder() / "flash.mp4",
      make_flash("ntsc.mp4", "30000/1001"),
      make_flash("film.mkv", "24000/1001"),
      make_flash("variable.mp4", "30",
                 {"-vf", "select='not(mod(n,3))+lt(mod(n,50),10)'", "-fps_mode", "vfr"}),
      make_flash("variable.mkv", "30",
                 {"-vf", "select='not(mod(n,7))+lt(mod(n,40),11)'", "-fps_mode", "vfr"}),
      remux("edit_list.mp4", {"-ss", "1.3"}, copy),
      remux("negative.mkv", {},
            {"-c", "copy", "-output_ts_offset", "-0.5", "-avoid_negative_ts", "disabled"}),
      remux("late.ts", {}, {"-c", "copy", "-output_ts_offset", "10"}),
      remux("near_the_wrap.ts", {}, {"-c", "copy", "-output_ts_offset", "95440"}),
      remux("rotated.mp4", {}, {"-c", "copy", "-metadata:s:v:0", "rotate=90"}),
      remux("fragmented.mp4", {}, {"-c", "copy", "-movflags", "frag_keyframe+empty_moov"}),
      remux("late_sound.mp4", {"-itsoffset", "0.25", "-i", (folder() / "flash.mp4").native()},
            {"-map", "1:v", "-map", "0:a", "-c", "copy"}),
      remux("late_picture.mkv", {"-itsoffset", "0.4", "-i", (folder() / "flash.mp4").native()},
            {"-map", "0:v", "-map", "1:a", "-c", "copy"}),
      remux("old.avi", {}, {"-c:v", "mpeg4", "-c:a", "libmp3lame"}),
      remux("old_b_frames.avi", {}, {"-c:v", "mpeg4", "-bf", "2", "-c:a", "libmp3lame"})};
  double worst = 0;
  for (const auto& clip : clips) {
    const double off = click_after_flash(clip);
    EXPECT_LE(std::abs(off), kLimitS) << clip.filename();
    worst = std::max(worst, std::abs(off));
  }
  std::printf("%zu clips, at most %.2f ms\n", clips.size(), worst * 1000);
}

}  // namespace
}  // namespace qingyin::test
