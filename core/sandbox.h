#pragma once

#include <cstdint>

namespace qingyin {

/// What a process that parses files of strangers may use, at most.
struct SandboxLimits {
  std::uint64_t memory_bytes = 4ULL << 30;  // address space
  std::uint64_t cpu_s = 6 * 3600;
  std::uint64_t written_file_bytes = 0;  // the size that a file which it writes may reach
  std::uint64_t descriptors = 64;
};

/// Which walls stand. The first three always do; the others need a kernel that has them.
struct Sandbox {
  bool landlock = false;  // no path of the file system can be opened
  bool seccomp = false;   // no system call beyond computing and the descriptors at hand
};

/// Shuts the calling process in, for good: resource limits, no core dump, no new privileges, and
/// where the kernel has them Landlock and a seccomp filter. Afterwards the process can compute,
/// start threads, and read and write what it has open; it can open no file, make no socket, start
/// no program. What is refused fails with an error number; nothing is killed. To be called while
/// the process has one thread.
/// @throws Error kInternal if even the limits cannot be set
Sandbox enter_sandbox(const SandboxLimits& limits);

}  // namespace qingyin
