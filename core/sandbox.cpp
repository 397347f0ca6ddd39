#include "core/sandbox.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"

namespace qingyin {
namespace {

// The sanitizers reserve terabytes of address space.
#if defined(__SANITIZE_ADDRESS__)
#define QINGYIN_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QINGYIN_ADDRESS_SANITIZER 1
#endif
#endif
#if defined(QINGYIN_ADDRESS_SANITIZER)
constexpr bool kLimitsMemory = false;
#else
constexpr bool kLimitsMemory = true;
#endif

void set_limit(__rlimit_resource resource, std::uint64_t value) {
  struct rlimit now = {};
  getrlimit(resource, &now);
  const rlim_t allowed = std::min<rlim_t>(value, now.rlim_max);
  const struct rlimit limit = {allowed, allowed};
  if (setrlimit(resource, &limit) == 0) return;
  throw Error(ErrorCode::kInternal,
              std::string("sandbox: a limit cannot be set: ") + std::strerror(errno));
}

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;  // no filter was written for this one
#endif

// Computing, memory, threads, time, and work on open descriptors.
constexpr long kAllowed[] = {
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_lseek,
    SYS_fstat,
    SYS_ftruncate,
    SYS_fsync,
    SYS_fdatasync,
    SYS_close,
    SYS_dup,
    SYS_fcntl,
    SYS_recvfrom,
    SYS_sendto,
    SYS_recvmsg,
    SYS_sendmsg,
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_brk,
    SYS_futex,
    SYS_rseq,
    SYS_set_robust_list,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_getpid,
    SYS_gettid,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_getrusage,
    SYS_exit,
    SYS_exit_group,
    SYS_restart_syscall,
    SYS_ppoll,
#ifdef SYS_poll
    SYS_poll,
#endif
#ifdef SYS_time
    SYS_time,
#endif
};

constexpr std::uint32_t offset_of_argument(int index) {
  return static_cast<std::uint32_t>(offsetof(struct seccomp_data, args)) +
         static_cast<std::uint32_t>(index) * 8;
}

sock_filter load(std::uint32_t offset) { return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset); }
sock_filter answer(std::uint32_t action) { return BPF_STMT(BPF_RET | BPF_K, action); }
// Goes on with the next instruction if the loaded value is this one, else skips `skip` of them.
sock_filter unless_equal(std::uint32_t value, std::uint8_t skip) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}

std::vector<sock_filter> filter_program() {
  constexpr std::uint32_t kThread = 0x00010000;  // CLONE_THREAD
  std::vector<sock_filter> program;
  program.push_back(load(offsetof(struct seccomp_data, arch)));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
  program.push_back(answer(SECCOMP_RET_KILL_PROCESS));
  program.push_back(load(offsetof(struct seccomp_data, nr)));
  for (const long call : kAllowed) {
    program.push_back(unless_equal(static_cast<std::uint32_t>(call), 1));
    program.push_back(answer(SECCOMP_RET_ALLOW));
  }
  // The C library falls back to clone, whose flags a filter can see.
  program.push_back(unless_equal(SYS_clone3, 1));
  program.push_back(answer(SECCOMP_RET_ERRNO | ENOSYS));
  program.push_back(unless_equal(SYS_clone, 3));
  program.push_back(load(offset_of_argument(0)));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, kThread, 0, 1));
  program.push_back(answer(SECCOMP_RET_ALLOW));
  program.push_back(answer(SECCOMP_RET_ERRNO | EPERM));
  return program;
}

bool filter_system_calls() {
  if (kArchitecture == 0) return false;
  auto program = filter_program();
  const sock_fprog filter = {static_cast<unsigned short>(program.size()), program.data()};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

// A rule set that handles every right the kernel knows and grants none.
bool close_file_system() {
  const long version =
      syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return false;
  struct {
    std::uint64_t files, network;
  } rules = {(1ULL << 13) - 1, 0};
  if (version >= 2) rules.files |= 1ULL << 13;  // REFER
  if (version >= 3) rules.files |= 1ULL << 14;  // TRUNCATE
  if (version >= 4) rules.network = 3;          // BIND_TCP, CONNECT_TCP
  const std::size_t size = version >= 4 ? sizeof rules : sizeof rules.files;
  const int set = static_cast<int>(syscall(SYS_landlock_create_ruleset, &rules, size, 0));
  if (set < 0) return false;
  const bool closed = syscall(SYS_landlock_restrict_self, set, 0) == 0;
  close(set);
  return closed;
}

}  // namespace

Sandbox enter_sandbox(const SandboxLimits& limits) {
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_CPU, limits.cpu_s);
  set_limit(RLIMIT_FSIZE, limits.written_file_bytes);
  set_limit(RLIMIT_NOFILE, limits.descriptors);
  if (kLimitsMemory) set_limit(RLIMIT_AS, limits.memory_bytes);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    throw Error(ErrorCode::kInternal,
                std::string("sandbox: privileges cannot be given up: ") + std::strerror(errno));
  }
  Sandbox sandbox;
  sandbox.landlock = close_file_system();
  sandbox.seccomp = filter_system_calls();
  return sandbox;
}

}  // namespace qingyin
