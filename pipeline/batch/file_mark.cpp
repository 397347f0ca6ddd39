#include "pipeline/batch/file_mark.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/disk_full.h"
#include "core/error.h"
#include "core/text.h"

namespace qingyin::batch {
namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& folder, int error) {
  const std::string full = disk_reason(error);
  throw Error(ErrorCode::kIo,
              "cannot create the output folder " + printable(folder) + ": " +
                  std::generic_category().message(error) + "; choose another one with -o",
              full.empty() ? "unwritable" : full);
}

void store(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) fail(folder, errno);
  // Some file systems have no fsync of a folder (EINVAL).
  const int error = ::fsync(descriptor) != 0 && errno != EINVAL ? errno : 0;
  ::close(descriptor);
  if (error != 0) fail(folder, error);
}

}  // namespace

std::string mark_of(const fs::path& path) {
  struct stat facts = {};
  if (::stat(path.c_str(), &facts) != 0) return errno == ENOENT ? "missing" : "unreadable";
  const auto time = [](const timespec& at) {
    return std::to_string(at.tv_sec) + "." + std::to_string(at.tv_nsec);
  };
  return std::to_string(facts.st_size) + " " + time(facts.st_mtim) + " " + time(facts.st_ctim) +
         " " + std::to_string(facts.st_ino);
}

MarkedFile marked(const fs::path& path) { return {path, mark_of(path)}; }

bool are_unchanged(const std::vector<MarkedFile>& files) {
  const auto is_same = [](const MarkedFile& file) {
    return file.mark != "missing" && mark_of(file.path) == file.mark;
  };
  return !files.empty() && std::all_of(files.begin(), files.end(), is_same);
}

void create_stored_folders(const fs::path& folder) {
  std::error_code error;
  if (folder.empty() || fs::is_directory(folder, error)) return;
  const fs::path named = folder.has_filename() ? folder : folder.parent_path();
  const fs::path above = named.has_parent_path() ? named.parent_path() : fs::path(".");
  if (above != named) create_stored_folders(above);
  if (::mkdir(named.c_str(), 0777) != 0 && errno != EEXIST) fail(named, errno);
  if (!fs::is_directory(named, error)) fail(named, ENOTDIR);
  store(above);
}

}  // namespace qingyin::batch
