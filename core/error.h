#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace qingyin {

/// Why an operation failed. Each code has one exit code (`exit_code`).
enum class ErrorCode {
  kUsage,          // unknown flag, bad value, contradiction
  kInvalidInput,   // unreadable or unsupported input, or an input over a limit
  kModelMissing,   // weights are not there, or their licence was not accepted
  kBadCheckpoint,  // weights are there and wrong
  kDevice,         // no such device, or out of memory
  kIo,             // output not writable, disk full, mux or verify failed
  kCancelled,      // the caller's Progress said stop
  kInternal,       // a bug of ours
};

/// The one exception type of the project. `what()` says what was found, what was expected and what
/// to do next, and names the file.
class Error : public std::runtime_error {
 public:
  /// @param reason  a short machine-readable word for reports ("no_video", "limit", "protected");
  /// may be empty
  Error(ErrorCode code, const std::string& message, std::string reason = {},
        const char* file = __builtin_FILE(), int line = __builtin_LINE());

  ErrorCode code() const { return code_; }
  const std::string& reason() const { return reason_; }
  const char* file() const { return file_; }
  int line() const { return line_; }

 private:
  ErrorCode code_;
  std::string reason_;
  const char* file_;
  int line_;
};

/// The process exit code of an error code: 2 to 7, or 70.
int exit_code(ErrorCode code);

/// The stable name used in JSON: "usage", "invalid_input", "model_missing", "bad_checkpoint", ...
std::string_view name_of(ErrorCode code);

/// Throws Error{code, message} unless `ok`.
inline void require(bool ok, ErrorCode code, const char* message,
                    const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (!ok) throw Error(code, message, {}, file, line);
}

inline void require(bool ok, ErrorCode code, const std::string& message,
                    const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (!ok) throw Error(code, message, {}, file, line);
}

}  // namespace qingyin
