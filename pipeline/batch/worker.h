#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace qingyin::batch {

/// A process that works on a batch, so that others can tell whether it still lives.
struct WorkerIdentity {
  std::string boot_id;    // of the running system
  std::string pid_space;  // the pid means something among processes of the same space
  std::int64_t pid = 0;
  std::int64_t start_ticks = 0;  // when it began, so that a reused pid is another process

  bool operator==(const WorkerIdentity&) const = default;
};

WorkerIdentity this_process();

enum class Life {
  kAlive,
  kGone,
  kUnseen  // of another pid space: only its silence can tell
};

Life life_of(const WorkerIdentity& worker);

/// Seconds on a clock that all processes of a running system share; it stands still while the
/// system sleeps, so that nobody seems dead after it.
double shared_clock_s();

/// How long a process of this pid space has been running, in seconds; none if there is none.
std::optional<double> running_s(std::int64_t pid);

}  // namespace qingyin::batch
