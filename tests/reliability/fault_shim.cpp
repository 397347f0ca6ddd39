// A library that is preloaded into the program under test (LD_PRELOAD) and makes the system fail at
// a chosen call. It counts the calls that change what is on the disk (write, pwrite, ftruncate,
// fsync, fdatasync, rename, link) for files below QINGYIN_FAULT_FOLDER, those of the sandboxed
// processes that it starts to read and copy clips too: a power cut ends all of them.
//   QINGYIN_FAULT_KILL=N     SIGKILL right after the Nth call
//   QINGYIN_FAULT_POWER=1    ... and what was not fsynced until then is lost, as in a power cut
//   QINGYIN_FAULT_FULL=N     the Nth call that writes, and every later one, finds the disk full
//   QINGYIN_FAULT_CONTROL=1  fsync does nothing and files are written under their final names at
//                            once: what the protection is worth
//   QINGYIN_FAULT_SPACE=1    statvfs tells of plenty of space, so that the disk fills up unforeseen
//   QINGYIN_FAULT_COUNT=FILE the number of calls is written there at the end
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/reliability/fault_counts.h"

namespace {

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

using Write = ssize_t (*)(int, const void*, size_t);
using Pwrite = ssize_t (*)(int, const void*, size_t, off_t);
using Truncate = int (*)(int, off_t);
using Sync = int (*)(int);
using Rename = int (*)(const char*, const char*);
using Syscall = long (*)(long, ...);
using Lstat = int (*)(const char*, struct stat*);
using Open = int (*)(const char*, int, ...);
using Statvfs = int (*)(const char*, struct statvfs*);
using Spawn = decltype(&posix_spawn);

// Looked up at the first call, which may come before this library's own variables are made.
template <class... Arguments>
auto real_write(Arguments... arguments) {
  static const auto function = real<Write>("write");
  return function(arguments...);
}

template <class... Arguments>
auto real_pwrite(Arguments... arguments) {
  static const auto function = real<Pwrite>("pwrite");
  return function(arguments...);
}

template <class... Arguments>
auto real_truncate(Arguments... arguments) {
  static const auto function = real<Truncate>("ftruncate");
  return function(arguments...);
}

template <class... Arguments>
auto real_fsync(Arguments... arguments) {
  static const auto function = real<Sync>("fsync");
  return function(arguments...);
}

template <class... Arguments>
auto real_rename(Arguments... arguments) {
  static const auto function = real<Rename>("rename");
  return function(arguments...);
}

template <class... Arguments>
auto real_link(Arguments... arguments) {
  static const auto function = real<Rename>("link");
  return function(arguments...);
}

template <class... Arguments>
auto real_syscall(Arguments... arguments) {
  static const auto function = real<Syscall>("syscall");
  return function(arguments...);
}

template <class... Arguments>
auto real_lstat(Arguments... arguments) {
  static const auto function = real<Lstat>("lstat");
  return function(arguments...);
}

template <class... Arguments>
auto real_open(Arguments... arguments) {
  static const auto function = real<Open>("open");
  return function(arguments...);
}

template <class... Arguments>
auto real_statvfs(Arguments... arguments) {
  static const auto function = real<Statvfs>("statvfs");
  return function(arguments...);
}

std::string text_of(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

long number_of(const char* name) { return std::atol(text_of(name).c_str()); }

using Inode = std::pair<dev_t, ino_t>;

// A file as it would be found after a power cut.
struct Stored {
  int descriptor;
  std::string content;
  bool is_dirty = false;
};

struct Faults {
  std::string folder = text_of("QINGYIN_FAULT_FOLDER");
  long kill_after = number_of("QINGYIN_FAULT_KILL"), full_from = number_of("QINGYIN_FAULT_FULL");
  bool loses_power = number_of("QINGYIN_FAULT_POWER") != 0;
  bool is_control = number_of("QINGYIN_FAULT_CONTROL") != 0;
  bool has_space = number_of("QINGYIN_FAULT_SPACE") != 0;
  std::string count_file = text_of("QINGYIN_FAULT_COUNT");

  std::recursive_mutex mutex;
  qingyin::faults::SharedCounts counts;
  std::vector<pid_t> children;
  std::map<Inode, Stored> files;
  std::vector<std::pair<std::string, std::string>> renames;  // not stored in their folder yet
  std::map<std::string, std::string> at_once;                // final name by temporary name

  ~Faults() {
    if (count_file.empty()) return;
    if (FILE* file = std::fopen(count_file.c_str(), "w")) {
      std::fprintf(file, "%ld %ld\n", counts.calls(), counts.writes());
      std::fclose(file);
    }
  }
};

// Never destroyed before the program's own last calls: they may come late.
Faults& faults() {
  static auto* all = new Faults();
  return *all;
}

// From the beginning: a process that is shut in later could not find its counts any more.
struct Whole {
  Whole() { faults(); }
  ~Whole() { faults().~Faults(); }
} whole;

std::string absolute(const char* path) {
  if (path[0] == '/') return path;
  std::array<char, PATH_MAX> here{};
  if (getcwd(here.data(), here.size()) == nullptr) return path;
  return std::string(here.data()) + "/" + path;
}

bool is_ours(const std::string& path) {
  const std::string& folder = faults().folder;
  return !folder.empty() && path.rfind(folder, 0) == 0;
}

std::string path_of(int descriptor) {
  std::array<char, PATH_MAX> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = readlink(link.c_str(), path.data(), path.size() - 1);
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : std::string();
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

std::string content_of(int descriptor) {
  std::string content;
  std::array<char, 65536> block;
  for (off_t at = 0;; at += static_cast<off_t>(block.size())) {
    const ssize_t got = pread(descriptor, block.data(), block.size(), at);
    if (got > 0) content.append(block.data(), static_cast<std::size_t>(got));
    if (got < static_cast<ssize_t>(block.size())) return content;
  }
}

// The file behind a descriptor, as stored; remembered when it is first seen.
Stored* stored(int descriptor) {
  struct stat facts {};
  if (!faults().loses_power || fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    return nullptr;
  }
  const Inode inode{facts.st_dev, facts.st_ino};
  auto found = faults().files.find(inode);
  if (found == faults().files.end()) {
    const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
    const int own = real_open(link.c_str(), O_RDWR | O_CLOEXEC);
    if (own < 0) return nullptr;
    found = faults().files.emplace(inode, Stored{own, content_of(own)}).first;
  }
  return &found->second;
}

void lose_power() {
  for (auto at = faults().renames.rbegin(); at != faults().renames.rend(); ++at) {
    real_rename(at->second.c_str(), at->first.c_str());
  }
  for (auto& [inode, file] : faults().files) {
    if (!file.is_dirty) continue;
    const auto size = static_cast<off_t>(file.content.size());
    real_pwrite(file.descriptor, file.content.data(), file.content.size(), 0);
    real_truncate(file.descriptor, size);
  }
}

// A child that asked for it waits for its own end.
void end_everything(bool for_child) {
  Faults& all = faults();
  if (all.loses_power || for_child) qingyin::faults::end_children(all.children);
  if (all.loses_power) lose_power();
  real_syscall(SYS_kill, getpid(), SIGKILL);
}

// After a call that changed something.
void count() {
  Faults& all = faults();
  if (all.counts.next_call() != all.kill_after) return;
  if (all.counts.is_child()) all.counts.ask_for_end();
  end_everything(/*for_child=*/false);
}

using Lock = std::lock_guard<std::recursive_mutex>;

// True if a call that writes finds the disk full.
bool is_full() {
  Faults& all = faults();
  return all.counts.next_write() >= all.full_from && all.full_from > 0;
}

// A file whose content matters. A process in a sandbox cannot ask for names, and writes one file.
bool is_watched(int descriptor) {
  if (faults().counts.is_child()) return faults().counts.is_output(descriptor);
  const std::string path = path_of(descriptor);
  return is_ours(path) && !ends_with(path, "-shm");
}

// A call that writes to a descriptor.
template <class Call>
auto writing(int descriptor, Call call) -> decltype(call()) {
  if (!is_watched(descriptor)) return call();
  const Lock lock(faults().mutex);
  if (is_full()) {
    errno = ENOSPC;
    return -1;
  }
  Stored* file = stored(descriptor);
  const auto result = call();
  if (file) file->is_dirty = true;
  count();
  return result;
}

int synced(int descriptor) {
  if (faults().counts.is_child()) return real_fsync(descriptor);
  const std::string path = path_of(descriptor);
  if (!is_ours(path + "/")) return real_fsync(descriptor);
  const Lock lock(faults().mutex);
  if (!faults().is_control) {
    if (real_fsync(descriptor) != 0) return -1;
    if (Stored* file = stored(descriptor)) {
      file->content = content_of(file->descriptor);
      file->is_dirty = false;
    }
    std::erase_if(faults().renames, [&](const auto& pair) {
      return pair.second.substr(0, pair.second.rfind('/')) == path;
    });
  }
  count();
  return 0;
}

// `.NAME.PID.RANDOM.part` in a folder: the final name beside it; empty for any other file.
std::string final_name(const std::string& path) {
  const auto slash = path.rfind('/');
  if (!ends_with(path, ".part") || path[slash + 1] != '.') return {};
  const auto random = path.rfind('.', path.size() - 6);
  const auto pid = path.rfind('.', random - 1);
  return path.substr(0, slash + 1) + path.substr(slash + 2, pid - slash - 2);
}

template <class Call>
int renaming(const char* from, const char* to, Call call) {
  const std::string source = absolute(from), target = absolute(to);
  if (!is_ours(target)) return call();
  const Lock lock(faults().mutex);
  if (faults().at_once.erase(source) > 0) {
    unlink(from);
    count();
    return 0;
  }
  struct stat facts {};
  const bool is_new = real_lstat(to, &facts) != 0;
  const int result = call();
  if (result == 0 && is_new) faults().renames.emplace_back(source, target);
  if (result == 0) count();
  return result;
}

}  // namespace

extern "C" {

ssize_t write(int descriptor, const void* data, size_t size) {
  return writing(descriptor, [&] { return real_write(descriptor, data, size); });
}

ssize_t pwrite(int descriptor, const void* data, size_t size, off_t at) {
  return writing(descriptor, [&] { return real_pwrite(descriptor, data, size, at); });
}

ssize_t pwrite64(int descriptor, const void* data, size_t size, off_t at) {
  return writing(descriptor, [&] { return real_pwrite(descriptor, data, size, at); });
}

int ftruncate(int descriptor, off_t size) noexcept {
  return writing(descriptor, [&] { return real_truncate(descriptor, size); });
}

int ftruncate64(int descriptor, off_t size) noexcept {
  return writing(descriptor, [&] { return real_truncate(descriptor, size); });
}

int fsync(int descriptor) { return synced(descriptor); }
int fdatasync(int descriptor) { return synced(descriptor); }

int rename(const char* from, const char* to) noexcept {
  return renaming(from, to, [&] { return real_rename(from, to); });
}

int link(const char* from, const char* to) noexcept {
  return renaming(from, to, [&] { return real_link(from, to); });
}

// renameat2 has no function of its own in older C libraries.
long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  std::array<long, 6> given{};
  for (long& value : given) value = va_arg(list, long);
  va_end(list);
  const auto call = [&] {
    return real_syscall(number, given[0], given[1], given[2], given[3], given[4], given[5]);
  };
  if (number != SYS_renameat2) return call();
  return renaming(reinterpret_cast<const char*>(given[1]), reinterpret_cast<const char*>(given[3]),
                  [&] { return static_cast<int>(call()); });
}

// The processes that read clips get this library too.
int posix_spawn(pid_t* process, const char* path, const posix_spawn_file_actions_t* files,
                const posix_spawnattr_t* attributes, char* const* arguments,
                char* const* environment) {
  static const auto call = real<Spawn>("posix_spawn");
  Faults& all = faults();
  const Lock lock(all.mutex);
  if (all.children.empty() && all.kill_after > 0) {
    std::thread([&all] {
      all.counts.await_request();
      const Lock end(all.mutex);
      end_everything(/*for_child=*/true);
    }).detach();
  }
  const bool has_output = arguments[1] && arguments[2];
  auto words = all.counts.environment_of_child(environment, has_output);
  std::vector<char*> given;
  for (auto& word : words) given.push_back(word.data());
  given.push_back(nullptr);
  const int error = call(process, path, files, attributes, arguments, given.data());
  if (error == 0) all.children.push_back(*process);
  return error;
}

// Without protection a file has its final name from its beginning, and nobody minds.
int open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    va_list list;
    va_start(list, flags);
    mode = va_arg(list, mode_t);
    va_end(list);
  }
  const int descriptor = real_open(path, flags, mode);
  if (descriptor < 0 || (flags & O_CREAT) == 0) return descriptor;
  const std::string path_here = absolute(path), target = final_name(path_here);
  if (!is_ours(path_here) || target.empty()) return descriptor;
  const Lock lock(faults().mutex);
  // Whoever writes it: what is in it is stored with the first fsync.
  if (Stored* file = stored(descriptor)) file->is_dirty = true;
  if (!faults().is_control) return descriptor;
  if (real_link(path, target.c_str()) == 0) faults().at_once[path_here] = target;
  return descriptor;
}

int lstat(const char* path, struct stat* facts) noexcept {
  if (faults().is_control) {
    const Lock lock(faults().mutex);
    const std::string whole = absolute(path);
    for (const auto& [temporary, target] : faults().at_once) {
      if (target != whole) continue;
      errno = ENOENT;
      return -1;
    }
  }
  return real_lstat(path, facts);
}

int statvfs(const char* path, struct statvfs* facts) noexcept {
  const int result = real_statvfs(path, facts);
  if (result == 0 && faults().has_space) {
    facts->f_bavail = facts->f_bfree = facts->f_blocks = std::uint64_t{1} << 32U;
  }
  return result;
}

}  // extern "C"
