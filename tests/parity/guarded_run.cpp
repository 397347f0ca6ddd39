#include "tests/parity/guarded_run.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <exception>
#include <fstream>
#include <new>
#include <stdexcept>

namespace qingyin::test {
namespace {

constexpr int kWallMilliseconds = 20'000;
// First letter of what the child reports; the Error's code follows kThrew.
constexpr char kReturned = 'r', kThrew = 'e', kStray = 's';

void limit_memory(std::uint64_t extra_bytes) {
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const std::uint64_t limit =
      pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + extra_bytes;
  const rlimit bytes{limit, limit};
  ::setrlimit(RLIMIT_AS, &bytes);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
}

std::string report_of(const std::function<void()>& action) {
  try {
    action();
    return {kReturned};
  } catch (const Error& e) {
    return std::string{kThrew, static_cast<char>('0' + static_cast<int>(e.code()))} + e.what();
  } catch (const std::bad_alloc&) {
    return std::string{kStray} + "it asked for more memory than it may have";
  } catch (const std::exception& e) {
    return std::string{kStray} + "it threw something untyped: " + e.what();
  }
}

[[noreturn]] void run_child(const std::function<void()>& action, std::uint64_t extra_bytes,
                            int pipe) {
  limit_memory(extra_bytes);
  const std::string report = report_of(action);
  std::size_t done = 0;
  while (done < report.size()) {
    const ssize_t wrote = ::write(pipe, report.data() + done, report.size() - done);
    if (wrote <= 0) break;
    done += static_cast<std::size_t>(wrote);
  }
  ::_exit(0);
}

/// Everything that arrives until the other end closes; false if that takes too long.
bool read_report(int pipe, std::string& report) {
  std::array<char, 4096> piece{};
  for (;;) {
    pollfd ready{pipe, POLLIN, 0};
    if (::poll(&ready, 1, kWallMilliseconds) <= 0) return false;
    const ssize_t got = ::read(pipe, piece.data(), piece.size());
    if (got <= 0) return true;
    report.append(piece.data(), static_cast<std::size_t>(got));
  }
}

Outcome outcome_of(const std::string& report) {
  Outcome outcome;
  if (report.empty()) return outcome;
  outcome.is_orderly = report[0] != kStray;
  if (report[0] == kThrew && report.size() > 1)
    outcome.error = static_cast<ErrorCode>(report[1] - '0');
  outcome.message = report.substr(report[0] == kThrew ? 2 : 1);
  return outcome;
}

}  // namespace

Outcome run_guarded(const std::function<void()>& action, std::uint64_t extra_bytes) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) throw std::runtime_error("no pipe can be made");
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process can be made");
  if (child == 0) run_child(action, extra_bytes, pipe[1]);
  ::close(pipe[1]);
  std::string report;
  const bool is_done = read_report(pipe[0], report);
  ::close(pipe[0]);
  if (!is_done) ::kill(child, SIGKILL);
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);

  Outcome outcome = outcome_of(report);
  if (!is_done)
    outcome = {.is_orderly = false, .error = {}, .message = "it hangs", .cpu_seconds = 0};
  else if (WIFSIGNALED(status))
    outcome = {.is_orderly = false,
               .error = {},
               .message = "it was killed by signal " + std::to_string(WTERMSIG(status)),
               .cpu_seconds = 0};
  outcome.cpu_seconds = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                        1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  return outcome;
}

}  // namespace qingyin::test
