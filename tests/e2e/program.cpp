#include "tests/e2e/program.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace qingyin::test {
namespace {

[[noreturn]] void become(const ProgramRun& wanted, int out, int err) {
  if (!wanted.folder.empty() && chdir(wanted.folder.c_str()) != 0) _exit(126);
  for (const auto& [name, value] : wanted.environment) setenv(name.c_str(), value.c_str(), 1);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  if (wanted.closes_stdout) close(STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const auto& argument : wanted.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

// Appends what can be read; false at the end.
bool drain(pollfd& from, std::string& to) {
  if (from.fd < 0 || from.revents == 0) return from.fd >= 0;
  std::array<char, 65536> buffer;
  const ssize_t got = read(from.fd, buffer.data(), buffer.size());
  if (got > 0) {
    to.append(buffer.data(), static_cast<std::size_t>(got));
    return true;
  }
  close(from.fd);
  from.fd = -1;
  return false;
}

}  // namespace

Outcome run(const ProgramRun& wanted) {
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) return {};
  const pid_t child = fork();
  if (child == 0) become(wanted, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  Outcome outcome;
  std::array<pollfd, 2> streams = {{{out[0], POLLIN, 0}, {err[0], POLLIN, 0}}};
  const auto end = std::chrono::steady_clock::now() + wanted.limit;
  bool is_interrupted = !wanted.interrupt;
  while (streams[0].fd >= 0 || streams[1].fd >= 0) {
    poll(streams.data(), streams.size(), 200);
    drain(streams[0], outcome.out);
    drain(streams[1], outcome.err);
    if (!is_interrupted && outcome.err.find(wanted.interrupt->text) != std::string::npos) {
      kill(child, wanted.interrupt->signal);
      is_interrupted = true;
    }
    if (std::chrono::steady_clock::now() > end) kill(child, SIGKILL);
  }
  int status = 0;
  waitpid(child, &status, 0);
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

std::string program() { return QINGYIN_BIN_DIR "/qingyin"; }

Outcome qingyin(const std::vector<std::string>& arguments, const std::filesystem::path& folder) {
  ProgramRun wanted{.arguments = {program()}, .folder = folder};
  wanted.arguments.insert(wanted.arguments.end(), arguments.begin(), arguments.end());
  return run(wanted);
}

void shell(const std::string& command) { EXPECT_EQ(std::system(command.c_str()), 0) << command; }

std::string shell_output(const std::string& command) {
  const auto outcome = run({.arguments = {"bash", "-c", command}});
  EXPECT_EQ(outcome.exit_code, 0) << command << "\n" << outcome.err;
  return outcome.out;
}

}  // namespace qingyin::test
