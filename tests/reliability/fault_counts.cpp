#include "tests/reliability/fault_counts.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace qingyin::faults {
namespace {

constexpr int kOutput = 3;  // where a media child finds the file that it writes

// By number: what the C library makes of it may be refused inside the sandbox, or counted here.
long system_call(long number, long a = 0, long b = 0, long c = 0, long d = 0) {
  return ::syscall(number, a, b, c, d, 0, 0);
}

long futex(const std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) {
  return system_call(SYS_futex, reinterpret_cast<long>(&word), operation, value);
}

bool facts_of(int descriptor, struct stat& facts) {
  return system_call(SYS_fstat, descriptor, reinterpret_cast<long>(&facts)) == 0;
}

}  // namespace

SharedCounts::SharedCounts() {
  const char* path = std::getenv("QINGYIN_FAULT_SHARED");
  is_child_ = path != nullptr;
  descriptor_ = is_child_ ? ::open(path, O_RDWR | O_CLOEXEC)
                          : ::memfd_create("qingyin_fault_counts", MFD_CLOEXEC);
  if (!is_child_) system_call(SYS_ftruncate, descriptor_, sizeof(Memory));
  void* memory =
      ::mmap(nullptr, sizeof(Memory), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
  if (memory == MAP_FAILED) std::abort();
  memory_ = static_cast<Memory*>(memory);
  struct stat facts = {};
  if (is_child_ && std::getenv("QINGYIN_FAULT_OUTPUT") && facts_of(kOutput, facts)) {
    output_device_ = facts.st_dev;
    output_inode_ = facts.st_ino;
  }
}

bool SharedCounts::is_output(int descriptor) const {
  struct stat facts = {};
  return output_inode_ != 0 && facts_of(descriptor, facts) && facts.st_ino == output_inode_ &&
         facts.st_dev == output_device_;
}

void SharedCounts::ask_for_end() {
  memory_->request = 1;
  futex(memory_->request, FUTEX_WAKE, INT_MAX);
  while (true) futex(memory_->request, FUTEX_WAIT, 1);
}

void SharedCounts::await_request() const {
  while (memory_->request == 0) futex(memory_->request, FUTEX_WAIT, 0);
}

std::vector<std::string> SharedCounts::environment_of_child(char* const* given,
                                                            bool has_output) const {
  std::vector<std::string> words;
  for (; *given; ++given) words.emplace_back(*given);
  for (char* const* own = environ; *own; ++own) {
    const bool is_count_file = std::strncmp(*own, "QINGYIN_FAULT_COUNT=", 20) == 0;
    const bool is_fault = std::strncmp(*own, "QINGYIN_FAULT_", 14) == 0 && !is_count_file;
    if (is_fault || std::strncmp(*own, "LD_PRELOAD=", 11) == 0) words.emplace_back(*own);
  }
  words.push_back("QINGYIN_FAULT_SHARED=/proc/" + std::to_string(::getpid()) + "/fd/" +
                  std::to_string(descriptor_));
  if (has_output) words.emplace_back("QINGYIN_FAULT_OUTPUT=1");
  return words;
}

void end_children(const std::vector<pid_t>& processes) {
  siginfo_t end = {};
  for (const pid_t process : processes) {
    const auto id = static_cast<id_t>(process);
    // One that was waited for is a child no more, and its number may be another's.
    if (::waitid(P_PID, id, &end, WEXITED | WNOHANG | WNOWAIT) != 0) continue;
    system_call(SYS_kill, process, SIGKILL);
    ::waitid(P_PID, id, &end, WEXITED | WNOWAIT);
  }
}

}  // namespace qingyin::faults
