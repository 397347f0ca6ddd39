#include "core/media/isolation/media_service.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <new>
#include <vector>

#include "core/media/audio_reader.h"
#include "core/media/copy_writer.h"
#include "core/media/isolation/channel.h"
#include "core/media/lent_files.h"
#include "core/sandbox.h"

namespace qingyin::media {
namespace {

using Outcome = Channel::Outcome;

std::uint64_t input_bytes() {
  struct stat facts = {};
  return ::fstat(kService.input, &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

// A copy holds the input's packets again, perhaps twice while its index moves to the front, and
// sound of at most 48 kHz stereo in 24 bits with its index.
std::uint64_t largest_copy(const ClipInfo& clip) {
  constexpr std::uint64_t kRoom = 64 << 20, kSoundBytesPerSecond = 400'000;
  return 2 * input_bytes() +
         static_cast<std::uint64_t>(clip.duration.count() + 1) * kSoundBytesPerSecond + kRoom;
}

void send_frames(Channel& line, const ClipInfo& clip, const FrameRequest& request,
                 const MediaLimits& limits) {
  const auto reader = open_frames(clip, request, limits);
  while (const auto frame = reader->next()) {
    WireWriter body;
    put(body, *frame);
    if (line.send(Word::kFrame, body.bytes()) != Outcome::kDone) return;
  }
  line.send(Word::kEnd, WireWriter().texts(reader->warnings()).bytes());
}

void send_sound(Channel& line, const ClipInfo& clip, const MediaLimits& limits) {
  const auto reader = open_audio(clip, limits);
  std::vector<float> block(2 * 4800);
  std::string body(block.size() * sizeof(float), '\0');
  do {
    reader->read(block);
    std::memcpy(body.data(), block.data(), body.size());
  } while (line.send(Word::kSoundBlock, body) == Outcome::kDone);
}

void write_copy(Channel& line, const ClipInfo& clip, const MuxRequest& request,
                const std::filesystem::path& temporary) {
  lend_file(temporary, kService.output);
  const auto writer = open_copy(clip, request, temporary);
  line.send(Word::kOpened, WireWriter().number(writer->length()).texts(writer->notes()).bytes());
  Word word{};
  std::string body;
  std::vector<float> samples;
  while (line.receive(word, body) == Outcome::kDone) {
    if (word == Word::kFinish) {
      writer->finish();
      line.send(Word::kDone, "");
      return;
    }
    samples.resize(body.size() / sizeof(float));
    std::memcpy(samples.data(), body.data(), samples.size() * sizeof(float));
    writer->write(samples);
  }
}

void work(Channel& line, Word word, WireReader& request) {
  const std::filesystem::path path = request.text();
  const MediaLimits limits = get_limits(request);
  lend_file(path, kService.input);
  SandboxLimits walls;
  if (word == Word::kProbe) {
    enter_sandbox(walls);
    WireWriter body;
    put(body, probe(path, limits));
    line.send(Word::kClip, body.bytes());
    return;
  }
  ClipInfo clip = get_clip(request, limits);
  clip.path = path;
  if (word == Word::kFrames) {
    enter_sandbox(walls);
    send_frames(line, clip, get_frame_request(request), limits);
  } else if (word == Word::kSound) {
    enter_sandbox(walls);
    send_sound(line, clip, limits);
  } else if (word == Word::kMux) {
    const MuxRequest copy = get_mux_request(request);
    const std::filesystem::path temporary = request.text();
    walls.written_file_bytes = largest_copy(clip);
    enter_sandbox(walls);
    write_copy(line, clip, copy, temporary);
  }
}

void report(Channel& line, const Error& error) {
  WireWriter body;
  put(body, error);
  line.send(Word::kError, body.bytes());
}

Error memory_error() {
  return {ErrorCode::kInvalidInput, "media: the file needs more memory than is allowed", "limit"};
}

}  // namespace

int serve_media(bool has_output) {
  ::close_range(has_output ? kService.output + 1 : kService.output, ~0U, 0);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  Channel line(kService.socket);
  Word word{};
  std::string body;
  if (line.receive(word, body) != Outcome::kDone) return 2;
  try {
    WireReader request(body);
    work(line, word, request);
  } catch (const Error& error) {
    // Inside, memory runs out because of the file, not because of the machine.
    report(line, error.code() == ErrorCode::kDevice ? memory_error() : error);
  } catch (const std::bad_alloc&) {
    report(line, memory_error());
  }
  return 0;
}

}  // namespace qingyin::media
