#include "video_gen/peak_memory.h"

#include <malloc.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>

namespace qingyin {
namespace {

/// A line of /proc/self/status, in bytes.
std::int64_t memory_fact(std::string_view name) {
  std::ifstream facts("/proc/self/status");
  for (std::string word; facts >> word;) {
    std::int64_t kilobytes = 0;
    if (word == name && facts >> kilobytes) return kilobytes * 1024;
  }
  return 0;
}

}  // namespace

PeakMemory::PeakMemory() {
  ::malloc_trim(0);
  before_ = memory_fact("VmRSS:");
}

void PeakMemory::reset() {
  ::malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";
}

std::int64_t PeakMemory::grown_bytes() const {
  return std::max<std::int64_t>(0, memory_fact("VmHWM:") - before_);
}

}  // namespace qingyin
