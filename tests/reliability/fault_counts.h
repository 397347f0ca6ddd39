#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace qingyin::faults {

/// What the program under test and the sandboxed processes that read its clips count together, in
/// memory that both see. A child finds it through QINGYIN_FAULT_SHARED before it is shut in.
class SharedCounts {
 public:
  SharedCounts();
  SharedCounts(const SharedCounts&) = delete;
  SharedCounts& operator=(const SharedCounts&) = delete;

  bool is_child() const { return is_child_; }
  /// In a child: the descriptor is the file that it was given to write.
  bool is_output(int descriptor) const;

  /// The number of this call among all.
  long next_call() { return ++memory_->calls; }
  long next_write() { return ++memory_->writes; }
  long calls() const { return memory_->calls; }
  long writes() const { return memory_->writes; }

  /// In a child: the program shall end everything now. Never returns.
  [[noreturn]] void ask_for_end();
  /// In the program: returns once a child asks.
  void await_request() const;

  /// The environment of a child, so that this library is in it too.
  std::vector<std::string> environment_of_child(char* const* given, bool has_output) const;

 private:
  struct Memory {
    std::atomic<long> calls, writes;
    std::atomic<std::uint32_t> request;
  };

  bool is_child_ = false;
  int descriptor_ = -1;
  dev_t output_device_ = 0;
  ino_t output_inode_ = 0;
  Memory* memory_ = nullptr;
};

/// Ends those of the processes that still are this one's children, and waits until they are gone.
void end_children(const std::vector<pid_t>& processes);

}  // namespace qingyin::faults
