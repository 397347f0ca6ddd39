#include "pipeline/batch/sweep.h"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "pipeline/batch/worker.h"

namespace qingyin::batch {
namespace fs = std::filesystem;

namespace {

// The process in a name `.NAME.PID.RANDOM.part`; none for any other name.
std::optional<std::int64_t> writer_of(std::string_view name) {
  constexpr std::string_view kEnd = ".part";
  constexpr std::size_t kRandomDigits = 16;
  if (!name.starts_with('.') || !name.ends_with(kEnd)) return {};
  name.remove_suffix(kEnd.size());
  const auto random = name.rfind('.');
  const bool is_random =
      random != name.npos && name.size() - random - 1 == kRandomDigits &&
      name.find_first_not_of("0123456789abcdef", random + 1) == std::string_view::npos;
  if (!is_random) return {};
  name = name.substr(0, random);
  const auto dot = name.rfind('.');
  if (dot == name.npos || dot == 0) return {};
  std::int64_t pid = 0;
  const char* end = name.data() + name.size();
  const auto parsed = std::from_chars(name.data() + dot + 1, end, pid);
  if (parsed.ec != std::errc() || parsed.ptr != end || pid <= 0) return {};
  return pid;
}

bool is_leftover(const fs::path& path) {
  const auto writer = writer_of(path.filename().native());
  if (!writer) return false;
  struct stat facts = {};
  if (::lstat(path.c_str(), &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
  const auto running = running_s(*writer);
  if (!running) return true;
  // A file that is older than the process was not written by it.
  constexpr double kClockSlack_s = 5;
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  const auto age_s = static_cast<double>(now.tv_sec - facts.st_mtim.tv_sec);
  return age_s > *running + kClockSlack_s;
}

}  // namespace

std::vector<fs::path> sweep_leftovers(const fs::path& folder) {
  std::vector<fs::path> removed;
  std::error_code error;
  fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied,
                                           error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    const fs::path& path = entries->path();
    if (is_leftover(path) && ::unlink(path.c_str()) == 0) removed.push_back(path);
  }
  return removed;
}

}  // namespace qingyin::batch
