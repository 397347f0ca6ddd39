#include "pipeline/batch/item.h"

#include <new>

namespace qingyin::batch {

Fault fault_of(const std::exception& exception) {
  if (const auto* error = dynamic_cast<const Error*>(&exception)) {
    const std::string reason(error->reason().empty() ? name_of(error->code()) : error->reason());
    return {error->code(), reason, error->what()};
  }
  if (dynamic_cast<const std::bad_alloc*>(&exception) != nullptr) {
    return {ErrorCode::kDevice, "memory", "out of memory; use fewer --jobs or a shorter clip"};
  }
  return {ErrorCode::kInternal, "internal",
          std::string("internal error, please report it: ") + exception.what()};
}

}  // namespace qingyin::batch
