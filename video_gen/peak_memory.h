#pragma once

#include <cstdint>

namespace qingyin {

/// How far the process's resident memory grows, measured by the kernel. For benches and tests: one
/// at a time, and nothing else may be at work.
class PeakMemory {
 public:
  /// From what is resident now, after the allocator has given back what is free.
  PeakMemory();
  /// Forgets peaks so far, and what the allocator keeps of them.
  void reset();
  /// The peak since `reset`, less what was resident at the beginning; 0 without Linux's /proc.
  std::int64_t grown_bytes() const;

 private:
  std::int64_t before_;
};

}  // namespace qingyin
