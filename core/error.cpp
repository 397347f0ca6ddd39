#include "core/error.h"

#include <utility>

namespace qingyin {

Error::Error(ErrorCode code, const std::string& message, std::string reason, const char* file,
             int line)
    : std::runtime_error(message),
      code_(code),
      reason_(std::move(reason)),
      file_(file),
      line_(line) {}

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return 2;
    case ErrorCode::kInvalidInput:
      return 3;
    case ErrorCode::kModelMissing:
    case ErrorCode::kBadCheckpoint:
      return 4;
    case ErrorCode::kDevice:
      return 5;
    case ErrorCode::kIo:
      return 6;
    case ErrorCode::kCancelled:
      return 7;
    case ErrorCode::kInternal:
      return 70;
  }
  return 70;
}

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return "usage";
    case ErrorCode::kInvalidInput:
      return "invalid_input";
    case ErrorCode::kModelMissing:
      return "model_missing";
    case ErrorCode::kBadCheckpoint:
      return "bad_checkpoint";
    case ErrorCode::kDevice:
      return "device";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

}  // namespace qingyin
