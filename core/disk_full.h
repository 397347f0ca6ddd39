#pragma once

#include <cerrno>

namespace qingyin {

/// The reason (`Error::reason`) of a failure to write with this number of the system: "disk_full"
/// where space, quota or the allowed size ran out, otherwise empty.
inline const char* disk_reason(int system_error) {
  const bool is_full = system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
  return is_full ? "disk_full" : "";
}

}  // namespace qingyin
