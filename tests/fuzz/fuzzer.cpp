#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

// One program for each target: QINGYIN_FUZZ_TARGET names it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  qingyin::fuzz::QINGYIN_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
