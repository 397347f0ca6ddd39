#include "core/media/isolation/media_child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <system_error>
#include <utility>
#include <vector>

#include "core/media/input_file.h"
#include "core/text.h"

namespace qingyin::media {
namespace fs = std::filesystem;

namespace {

// How many times longer than the child's own watch this end waits, so that the child can say why.
constexpr double kGrace = 1.5;
// The slowest disk that is taken for a working one.
constexpr double kSlowestBytesPerSecond = 1e6;

// A descriptor that closes itself, above the numbers that the child gives a meaning to.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {
    if (number_ < 0 || number_ > kService.output) return;
    const int higher = ::fcntl(number_, F_DUPFD_CLOEXEC, kService.output + 1);
    ::close(number_);
    number_ = higher;
  }
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

[[noreturn]] void fail(const std::string& what, int error) {
  throw Error(ErrorCode::kInternal, "media: " + what + ": " + std::strerror(error));
}

fs::path program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return self.parent_path() / "qingyin-media";
}

// Nothing of the environment but what finds and instruments the libraries.
std::vector<std::string> environment() {
  std::vector<std::string> kept{"LC_ALL=C"};
  for (const char* name : {"LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) kept.push_back(std::string(name) + "=" + value);
  }
  return kept;
}

}  // namespace

MediaChild::MediaChild(const fs::path& input, const fs::path& output, const MediaLimits& limits)
    : path_(input), limits_(limits) {
  const Descriptor clip(open_regular(input, bytes_));
  int written = -1;
  if (!output.empty()) {
    written = ::open(output.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (written < 0) {
      throw Error(ErrorCode::kIo,
                  "media: " + printable(output) + " cannot be written: " + std::strerror(errno));
    }
  }
  const Descriptor target(written);
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    fail("no socket for the process that reads the file", errno);
  }
  Descriptor ours(ends[0]);
  const Descriptor theirs(ends[1]);
  start(clip.get(), target.get(), theirs.get());
  socket_ = ours.release();
}

void MediaChild::start(int input, int output, int socket) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, input, kService.input);
  posix_spawn_file_actions_adddup2(&files, socket, kService.socket);
  posix_spawn_file_actions_addopen(&files, kService.messages, "/dev/null", O_WRONLY, 0);
  if (output >= 0) posix_spawn_file_actions_adddup2(&files, output, kService.output);
  // A group of its own: Ctrl-C is for the program, which ends its children itself.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults, none;
  sigfillset(&defaults);
  sigdelset(&defaults, SIGKILL);
  sigdelset(&defaults, SIGSTOP);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  const std::string name = program().native();
  std::string word = "serve", end = output >= 0 ? "output" : "";
  std::array<char*, 4> arguments{const_cast<char*>(name.c_str()), word.data(),
                                 end.empty() ? nullptr : end.data(), nullptr};
  auto kept = environment();
  std::vector<char*> variables;
  for (auto& variable : kept) variables.push_back(variable.data());
  variables.push_back(nullptr);
  const int error = ::posix_spawn(&process_, name.c_str(), &files, &attributes, arguments.data(),
                                  variables.data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error == 0) return;
  process_ = -1;
  fail(name +
           ", which reads files of unknown origin, cannot be started (install it beside the "
           "program)",
       error);
}

MediaChild::~MediaChild() {
  end();
  if (socket_ >= 0) ::close(socket_);
}

// Ends the process and gives its status; -1 if there is none.
int MediaChild::end() {
  if (process_ < 0) return -1;
  ::kill(process_, SIGKILL);
  int status = 0;
  while (::waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
  return status;
}

// The line is closed: the process has ended or is about to; one that stays is ended.
int MediaChild::await_end() {
  constexpr timespec kMoment{0, 5'000'000};
  for (int moments = 0; moments < 400; ++moments) {
    int status = 0;
    if (::waitpid(process_, &status, WNOHANG) == process_) {
      process_ = -1;
      return status;
    }
    ::nanosleep(&kMoment, nullptr);
  }
  return end();
}

Seconds MediaChild::patience_for_file() const {
  return limits_.no_progress * kGrace +
         Seconds(static_cast<double>(bytes_) / kSlowestBytesPerSecond);
}

void MediaChild::send(Word word, const std::string& body) {
  const auto outcome = Channel(socket_).send(word, body, patience_for_file());
  if (outcome == Channel::Outcome::kDone) return;
  // Whoever stopped listening may have said why.
  std::string last;
  if (outcome == Channel::Outcome::kClosed) receive(last);
  explain(outcome);
}

Word MediaChild::receive(std::string& body) { return receive(body, limits_.no_progress * kGrace); }

Word MediaChild::receive(std::string& body, Seconds patience) {
  Word word{};
  const auto outcome = Channel(socket_).receive(word, body, patience);
  if (outcome != Channel::Outcome::kDone) explain(outcome);
  if (word != Word::kError) return word;
  WireReader reader(body);
  throw get_error(reader);
}

void MediaChild::expect(Word word, std::string& body, Seconds patience) {
  if (receive(body, patience) != word) refuse_message();
}

void MediaChild::explain(Channel::Outcome outcome) {
  const std::string file = "media: " + printable(path_) + ": ";
  if (outcome == Channel::Outcome::kTimeout) {
    end();
    throw Error(ErrorCode::kInvalidInput,
                file + "the process that reads it made no progress and was stopped", "limit");
  }
  const int status = await_end();
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (signal == SIGKILL || signal == SIGXCPU) {
    throw Error(ErrorCode::kInvalidInput,
                file + "the process that reads it was stopped for using too much (signal " +
                    std::to_string(signal) + ")",
                "limit");
  }
  const std::string how = signal != 0 ? "signal " + std::to_string(signal)
                                      : "exit " + std::to_string(WEXITSTATUS(status));
  throw Error(ErrorCode::kInvalidInput,
              file + "the process that reads it crashed (" + how +
                  "); the file is damaged or "
                  "hostile; nothing of it was used",
              "decoder_crashed");
}

}  // namespace qingyin::media
