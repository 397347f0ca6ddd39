#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <thread>

#include "core/media/audio_reader.h"
#include "core/media/isolation/media_child.h"
#include "core/media/isolation/wire.h"
#include "core/media/muxer.h"
#include "core/sandbox.h"
#include "tests/media/media_test.h"

namespace qingyin::test {
namespace {

const MediaLimits kIsolated{.isolated = true};

class IsolationTest : public MediaTest {};

// The one child of this process.
pid_t only_child() {
  const auto task = "/proc/self/task/" + std::to_string(gettid()) + "/children";
  std::ifstream file(task);
  pid_t child = 0;
  file >> child;
  return child;
}

std::vector<Frame> frames_of(const ClipInfo& clip, std::vector<std::string>& warnings) {
  std::vector<Frame> frames;
  const auto reader = open_frames(clip, {.longest_side = 64});
  while (auto frame = reader->next()) frames.push_back(std::move(*frame));
  warnings = reader->warnings();
  return frames;
}

std::string copy_of(const ClipInfo& clip, const fs::path& target) {
  const auto muxer = open_muxer(clip, {.target = target});
  std::vector<float> sound(static_cast<std::size_t>(2 * muxer->length()));
  for (std::size_t i = 0; i < sound.size(); ++i) sound[i] = i % 200 < 100 ? 0.1F : -0.1F;
  muxer->write(std::span(sound).first(2000));
  muxer->write(std::span(sound).subspan(2000));
  muxer->finish();
  return read_bytes(target);
}

TEST_F(IsolationTest, GivesTheSameAsInOneProcess) {
  const auto path = make_base();
  const ClipInfo plain = probe(path), apart = probe(path, kIsolated);
  EXPECT_TRUE(apart.isolated);
  EXPECT_EQ(apart.path, path);
  EXPECT_EQ(apart.duration, plain.duration);
  EXPECT_EQ(apart.rate.num, plain.rate.num);
  EXPECT_EQ(apart.start_ticks, plain.start_ticks);
  EXPECT_EQ(apart.streams.size(), plain.streams.size());
  EXPECT_EQ(apart.audio_stream, plain.audio_stream);

  std::vector<std::string> warnings, others;
  const auto frames = frames_of(plain, warnings), same = frames_of(apart, others);
  ASSERT_EQ(frames.size(), 120U);
  ASSERT_EQ(same.size(), frames.size());
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(same[i].time, frames[i].time);
    EXPECT_TRUE(same[i].pixels == frames[i].pixels) << i;
  }
  EXPECT_EQ(others, warnings);

  std::vector<float> sound(9600), twin(9600);
  open_audio(plain)->read(sound);
  open_audio(apart)->read(twin);
  EXPECT_EQ(twin, sound);
  EXPECT_EQ(copy_of(apart, folder() / "apart.mp4"), copy_of(plain, folder() / "plain.mp4"));
  EXPECT_EQ(only_child(), 0);
}

TEST_F(IsolationTest, RefusesAsInOneProcess) {
  const auto text = write("text.mp4", "this is not a video");
  EXPECT_EQ(refusal([&] { probe(text, kIsolated); }), "unreadable");
  EXPECT_EQ(refusal([&] { probe(folder() / "none.mp4", kIsolated); }), "not_found");
  EXPECT_EQ(refusal([&] { probe(folder(), kIsolated); }), "not_a_file");
  const auto clip = probe(make_base(), kIsolated);
  write("there.mp4", "x");
  EXPECT_THROW(open_muxer(clip, {.target = folder() / "there.mp4"}), Error);
  EXPECT_EQ(only_child(), 0);
}

// Frames that are large and many, so that the child is still at work when it is hit.
std::string end_of_a_child_hit_by(int signal, const fs::path& path, Seconds no_progress) {
  MediaLimits limits = kIsolated;
  limits.no_progress = no_progress;
  const auto reader = open_frames(probe(path, kIsolated), {}, limits);
  EXPECT_TRUE(reader->next());
  kill(only_child(), signal);
  return refusal([&] {
    while (reader->next()) {
    }
  });
}

TEST_F(IsolationTest, AChildThatIsKilledIsAFaultWithItsReason) {
  const auto path = make_base();
  EXPECT_EQ(end_of_a_child_hit_by(SIGSEGV, path, Seconds(20)), "decoder_crashed");
  EXPECT_EQ(end_of_a_child_hit_by(SIGABRT, path, Seconds(20)), "decoder_crashed");
  EXPECT_EQ(end_of_a_child_hit_by(SIGKILL, path, Seconds(20)), "limit");
  EXPECT_EQ(end_of_a_child_hit_by(SIGXCPU, path, Seconds(20)), "limit");
  EXPECT_EQ(only_child(), 0);
}

TEST_F(IsolationTest, AChildThatStandsStillIsEnded) {
  EXPECT_EQ(end_of_a_child_hit_by(SIGSTOP, make_base(), Seconds(3)), "limit");
  EXPECT_EQ(only_child(), 0);
}

TEST_F(IsolationTest, AMuxerWhoseChildDiesLeavesNothing) {
  const auto clip = probe(make_base(), kIsolated);
  const auto out = folder() / "out";
  fs::create_directory(out);
  {
    const auto muxer = open_muxer(clip, {.target = out / "a.mp4"});
    kill(only_child(), SIGSEGV);
    const std::vector<float> sound(static_cast<std::size_t>(2 * muxer->length()));
    EXPECT_EQ(refusal([&] {
                muxer->write(sound);
                muxer->finish();
              }),
              "decoder_crashed");
  }
  EXPECT_TRUE(fs::is_empty(out));
}

TEST(Wire, RefusesFactsThatContradictOneAnother) {
  ClipInfo clip;
  clip.container = "mp4";
  clip.duration = Seconds(1);
  clip.rate = {30, 1};
  clip.width = clip.height = 16;
  clip.video_stream = 0;
  clip.streams = {
      {.index = 0, .kind = StreamKind::kVideo, .codec = "h264", .language = {}, .title = {}}};
  const auto arrives = [](const ClipInfo& sent) {
    media::WireWriter writer;
    media::put(writer, sent);
    media::WireReader reader(writer.bytes());
    return refusal([&] { media::get_clip(reader, MediaLimits{}); });
  };
  EXPECT_EQ(arrives(clip), "accepted");
  for (const auto& spoil : std::vector<std::function<void(ClipInfo&)>>{
           [](ClipInfo& c) { c.video_stream = 1; }, [](ClipInfo& c) { c.width = -1; },
           [](ClipInfo& c) { c.height = std::int64_t{1} << 40; },
           [](ClipInfo& c) { c.duration = Seconds(std::nan("")); },
           [](ClipInfo& c) { c.audio_stream = 7; },
           [](ClipInfo& c) {
             c.tick_rate = {0, 1};
           },
           [](ClipInfo& c) { c.streams.resize(40, c.streams[0]); }}) {
    ClipInfo spoilt = clip;
    spoil(spoilt);
    EXPECT_EQ(arrives(spoilt), "decoder_crashed");
  }
}

TEST(Wire, SurvivesEveryShortenedMessage) {
  media::WireWriter writer;
  media::put(writer, Frame{.pixels = std::vector<std::uint8_t>(48), .height = 4, .width = 4});
  const FrameRequest request{.longest_side = 4};
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    const std::string part = writer.bytes().substr(0, size);
    media::WireReader reader(part);
    EXPECT_EQ(refusal([&] { media::get_frame(reader, request, MediaLimits{}); }),
              "decoder_crashed");
  }
  media::WireReader whole(writer.bytes());
  EXPECT_EQ(media::get_frame(whole, request, MediaLimits{}).width, 4);
  media::WireReader other(writer.bytes());
  EXPECT_EQ(refusal([&] { media::get_frame(other, {.longest_side = 3}, MediaLimits{}); }),
            "decoder_crashed");
}

// What a process that is shut in can still do: one bit for each attempt that succeeded.
int attempts_inside() {
  const int before = open("/dev/null", O_WRONLY);
  const Sandbox walls = enter_sandbox({.memory_bytes = 1ULL << 30});
  int done = 0;
  if (open("/etc/passwd", O_RDONLY) >= 0) done |= 1;
  if (socket(AF_INET, SOCK_STREAM, 0) >= 0) done |= 2;
  char* const nothing[] = {nullptr};
  execve("/bin/true", nothing, nothing);
  if (const pid_t child = fork(); child >= 0) {
    if (child == 0) _exit(0);
    done |= 4;
  }
  if (kill(getppid(), 0) == 0) done |= 8;
  if (write(before, "x", 1) != 1) done |= 16;  // what is open still works
  std::thread([] {}).join();                   // and so do threads
  if (walls.seccomp) return done;
  return walls.landlock ? done & 1 : 0;
}

TEST(Sandbox, OpensNothingAndStartsNothing) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(attempts_inside());
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace qingyin::test
