#include "core/media/lent_files.h"

#include <fcntl.h>

#include <map>
#include <mutex>

namespace qingyin::media {
namespace {

struct Table {
  std::mutex mutex;
  std::map<std::filesystem::path, int> files;
};

Table& table() {
  static Table instance;
  return instance;
}

}  // namespace

void lend_file(const std::filesystem::path& path, int descriptor) {
  const std::lock_guard lock(table().mutex);
  table().files[path] = descriptor;
}

int lent_copy(const std::filesystem::path& path) {
  const std::lock_guard lock(table().mutex);
  const auto found = table().files.find(path);
  return found == table().files.end() ? -1 : ::fcntl(found->second, F_DUPFD_CLOEXEC, 0);
}

}  // namespace qingyin::media
