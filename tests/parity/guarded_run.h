#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/error.h"

namespace qingyin::test {

/// How an action ended that ran in a process of its own.
struct Outcome {
  bool is_orderly = false;         // it returned or threw Error; else `message` says what happened
  std::optional<ErrorCode> error;  // the Error's code; none: it returned
  std::string message;
  double cpu_seconds = 0;
};

/// Runs an action in a child process that may allocate at most `extra_bytes`, so that a crash, a
/// hang or a flood of memory is the finding of one test.
Outcome run_guarded(const std::function<void()>& action, std::uint64_t extra_bytes);

}  // namespace qingyin::test
