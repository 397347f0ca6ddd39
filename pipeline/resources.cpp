#include "pipeline/resources.h"

#include <sys/resource.h>

#include <algorithm>
#include <system_error>

#include "core/error.h"

namespace qingyin {

std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

std::int64_t free_disk_bytes(const std::filesystem::path& folder) {
  std::error_code error;
  auto place = std::filesystem::absolute(folder.empty() ? "." : folder, error);
  while (!std::filesystem::exists(place, error) && place.has_relative_path()) {
    place = place.parent_path();
  }
  const auto space = std::filesystem::space(place, error);
  return error ? -1 : static_cast<std::int64_t>(space.available);
}

void require_disk(const std::filesystem::path& folder, std::int64_t bytes) {
  constexpr std::int64_t kMegabyte = 1 << 20;
  const std::int64_t needed = bytes + bytes / 5 + 512 * kMegabyte;
  const std::int64_t free = free_disk_bytes(folder);
  if (free < 0 || free >= needed) return;
  throw Error(ErrorCode::kIo,
              "too little disk space in '" + folder.string() +
                  "': " + std::to_string(free / kMegabyte) + " MB are free, about " +
                  std::to_string(needed / kMegabyte) +
                  " MB are needed; free some or choose another folder with -o",
              "disk_full");
}

void Stopwatch::begin(const std::string& stage) {
  end();
  stage_ = stage;
  begin_ = std::chrono::steady_clock::now();
}

void Stopwatch::end() {
  if (stage_.empty()) return;
  const Seconds passed = std::chrono::steady_clock::now() - begin_;
  const auto found = std::find_if(timings_.begin(), timings_.end(),
                                  [&](const auto& entry) { return entry.first == stage_; });
  if (found == timings_.end()) {
    timings_.emplace_back(stage_, passed);
  } else {
    found->second += passed;
  }
  stage_.clear();
}

}  // namespace qingyin
