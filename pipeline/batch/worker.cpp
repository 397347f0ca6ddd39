#include "pipeline/batch/worker.h"

#include <unistd.h>

#include <array>
#include <climits>
#include <ctime>
#include <fstream>
#include <iterator>
#include <sstream>

namespace qingyin::batch {
namespace {

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string boot_id() {
  std::string text = content_of("/proc/sys/kernel/random/boot_id");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::string pid_space() {
  std::array<char, 128> text{};
  const ssize_t length = ::readlink("/proc/self/ns/pid", text.data(), text.size());
  return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : std::string();
}

// Field 22 of /proc/PID/stat; -1 if there is no such process, or only what is left of one.
std::int64_t start_ticks_of(std::int64_t pid) {
  const std::string text = content_of("/proc/" + std::to_string(pid) + "/stat");
  const auto name_end = text.rfind(')');  // the name may hold spaces and brackets
  if (name_end == std::string::npos) return -1;
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  fields >> field;
  if (field == "Z" || field == "X") return -1;
  constexpr int kFirst = 3, kStart = 22;
  for (int i = kFirst; i < kStart && fields >> field; ++i) continue;
  return fields ? std::stoll(field) : -1;
}

double seconds_on(clockid_t clock) {
  timespec now = {};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

WorkerIdentity this_process() {
  return {boot_id(), pid_space(), ::getpid(), start_ticks_of(::getpid())};
}

Life life_of(const WorkerIdentity& worker) {
  const WorkerIdentity self = this_process();
  if (worker.boot_id != self.boot_id) return Life::kGone;
  if (worker.pid_space != self.pid_space) return Life::kUnseen;
  return start_ticks_of(worker.pid) == worker.start_ticks ? Life::kAlive : Life::kGone;
}

double shared_clock_s() { return seconds_on(CLOCK_MONOTONIC); }

std::optional<double> running_s(std::int64_t pid) {
  const std::int64_t start = start_ticks_of(pid);
  if (start < 0) return {};
  const double start_s = static_cast<double>(start) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  return seconds_on(CLOCK_BOOTTIME) - start_s;
}

}  // namespace qingyin::batch
