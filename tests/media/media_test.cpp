#include "tests/media/media_test.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

extern char** environ;

namespace qingyin::test {

std::string output_of(const Words& command, int* status) {
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  pid_t child = -1;
  const int failed = ::posix_spawnp(&child, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string text;
  std::array<char, 65536> block{};
  for (ssize_t got; (got = ::read(ends[0], block.data(), block.size())) > 0;) {
    text.append(block.data(), static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  int result = -1;
  if (failed == 0) ::waitpid(child, &result, 0);
  if (status) *status = result;
  return text;
}

std::string read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void MediaTest::SetUp() {
  int status = -1;
  output_of({"ffmpeg", "-hide_banner", "-version"}, &status);
  if (status != 0) GTEST_SKIP() << "the ffmpeg program is not installed";
  std::string name = (fs::temp_directory_path() / "qingyin_media_XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  folder_ = name;
}

void MediaTest::TearDown() {
  if (!folder_.empty()) fs::remove_all(folder_);
}

fs::path MediaTest::make(const std::string& name, const Words& arguments) const {
  const fs::path path = folder_ / name;
  Words command{"ffmpeg", "-v", "error", "-nostdin", "-y"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.push_back("file:" + path.string());
  int status = -1;
  output_of(command, &status);
  EXPECT_EQ(status, 0) << "ffmpeg could not make " << name;
  return path;
}

fs::path MediaTest::make_base(const std::string& name) const {
  return make(name, {"-f",       "lavfi",   "-i",      "testsrc2=s=320x240:r=30:d=4",
                     "-f",       "lavfi",   "-i",      "sine=f=440:r=48000:d=4",
                     "-c:v",     "libx264", "-preset", "veryfast",
                     "-g",       "60",      "-bf",     "3",
                     "-pix_fmt", "yuv420p", "-c:a",    "aac"});
}

fs::path MediaTest::write(const std::string& name, const std::string& bytes) const {
  const fs::path path = folder_ / name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

std::vector<float> ffmpeg_sound(const fs::path& path) {
  const std::string bytes =
      output_of({"ffmpeg", "-v", "error", "-nostdin", "-i", "file:" + path.string(), "-map",
                 "0:a:0", "-f", "f32le", "-c:a", "pcm_f32le", "-"});
  std::vector<float> samples(bytes.size() / sizeof(float));
  std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
  return samples;
}

Words packet_hashes(const fs::path& path) {
  std::istringstream lines(
      output_of({"ffprobe", "-v", "error", "-select_streams", "v:0", "-show_data_hash", "md5",
                 "-show_entries", "packet=data_hash", "-of", "csv=p=0", "file:" + path.string()}));
  Words hashes;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) hashes.push_back(line);
  }
  return hashes;
}

std::vector<Frame> all_frames(const fs::path& path, const FrameRequest& request) {
  const auto reader = open_frames(path, request);
  std::vector<Frame> frames;
  while (auto frame = reader->next()) frames.push_back(std::move(*frame));
  return frames;
}

double mean(const Frame& frame) {
  double sum = 0;
  for (const std::uint8_t value : frame.pixels) sum += value;
  return sum / static_cast<double>(frame.pixels.size());
}

}  // namespace qingyin::test
