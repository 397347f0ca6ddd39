#include "core/atomic_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "core/disk_full.h"
#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

namespace fs = std::filesystem;

// The table of live temporaries. A slot goes kFree -> kFilling -> kLive -> kFree; a signal handler
// takes it from kLive to kRemoved, where it stays: nobody may rewrite a path that it is reading.
enum SlotState : int { kFree, kFilling, kLive, kRemoved };

struct Slot {
  std::atomic<int> state{kFree};
  std::array<char, PATH_MAX> path{};
};

constexpr int kSlots = 128;
static_assert(std::atomic<int>::is_always_lock_free);
std::array<Slot, kSlots> live_temporaries;

// Returns the slot taken, or -1 if the table is full or the path too long for it.
int register_temporary(const fs::path& path) {
  std::error_code error;
  const std::string whole = fs::absolute(path, error).native();
  if (error || whole.size() >= PATH_MAX) return -1;
  for (int i = 0; i < kSlots; ++i) {
    int expected = kFree;
    Slot& slot = live_temporaries[static_cast<std::size_t>(i)];
    if (!slot.state.compare_exchange_strong(expected, kFilling)) continue;
    std::memcpy(slot.path.data(), whole.c_str(), whole.size() + 1);
    slot.state.store(kLive);
    return i;
  }
  return -1;
}

void release_temporary(int index) {
  if (index < 0) return;
  int expected = kLive;
  live_temporaries[static_cast<std::size_t>(index)].state.compare_exchange_strong(expected, kFree);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  // Network file systems report a failed write only here.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

std::string_view next_step(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return "free some space or choose another folder";
    case EFBIG:
      return "raise the file size limit or choose another file system";
    case EACCES:
    case EPERM:
    case EROFS:
      return "choose a folder that you may write to";
    case ENOENT:
    case ENOTDIR:
      return "create the folder first or choose another one";
    case ENAMETOOLONG:
      return "choose a shorter name";
    default:
      return "check the disk or choose another folder";
  }
}

[[noreturn]] void throw_io(const fs::path& target, const std::string& what, int error) {
  throw Error(ErrorCode::kIo,
              printable(target) + ": " + what + ": " + std::generic_category().message(error) +
                  "; " + std::string(next_step(error)),
              disk_reason(error));
}

[[noreturn]] void throw_exists(const fs::path& target) {
  throw Error(ErrorCode::kIo,
              printable(target) +
                  ": exists already and nothing is overwritten unless asked; "
                  "choose another name or allow overwriting",
              "exists");
}

fs::path folder_of(const fs::path& target) {
  return target.has_parent_path() ? target.parent_path() : fs::path(".");
}

std::string random_hex() {
  std::uint64_t bits = 0;
  require(::getentropy(&bits, sizeof bits) == 0, ErrorCode::kInternal,
          "no random bytes from the system for the name of a temporary file");
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(bits));
  return text.data();
}

fs::path temporary_for(const fs::path& target) {
  std::string tail = ".";
  tail.append(std::to_string(::getpid())).append(".").append(random_hex()).append(".part");
  std::string name = target.filename().native();
  const std::size_t room = NAME_MAX - 1 - tail.size();
  if (name.size() > room) {
    std::size_t cut = room;
    while (cut > 0 && (static_cast<unsigned char>(name[cut]) & 0xC0U) == 0x80U) --cut;
    name.resize(cut);
  }
  name.insert(name.begin(), '.');
  return folder_of(target) / name.append(tail);
}

// The permissions of the file that is about to be replaced, where there is one.
std::optional<mode_t> check_target(const fs::path& target, Overwrite overwrite) {
  require(target.has_filename() && target.filename() != "." && target.filename() != "..",
          ErrorCode::kIo, printable(target) + ": names a folder; give the name of a file");
  if (target.filename().native().size() > NAME_MAX) {
    throw_io(target, "cannot be written", ENAMETOOLONG);
  }
  struct stat facts {};
  if (::lstat(target.c_str(), &facts) != 0) {
    if (errno != ENOENT) throw_io(target, "cannot be written", errno);
    return {};
  }
  require(S_ISREG(facts.st_mode) || S_ISLNK(facts.st_mode), ErrorCode::kIo,
          printable(target) + ": is a folder or a device, not a regular file; choose another name");
  if (overwrite == Overwrite::kNo) throw_exists(target);
  if (!S_ISREG(facts.st_mode)) return {};
  return facts.st_mode & 0777U;
}

// rename() that fails with EEXIST where the target is there already; an errno or 0.
int rename_without_replacing(const fs::path& from, const fs::path& to) {
  if (::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) ==
      0) {
    return 0;
  }
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // Not every file system knows the flag; a hard link never replaces either.
  if (::link(from.c_str(), to.c_str()) != 0) return errno;
  ::unlink(from.c_str());
  return 0;
}

void write_all(int fd, std::string_view bytes, const fs::path& target) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_io(target, "cannot be written", errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

AtomicFile::AtomicFile(fs::path target, Overwrite overwrite)
    : target_(std::move(target)), overwrite_(overwrite) {
  const std::optional<mode_t> replaced = check_target(target_, overwrite_);
  temporary_ = temporary_for(target_);
  // Registered before it exists: no signal can fall between the two.
  slot_ = register_temporary(temporary_);
  // Never more open to others than what it replaces, and writable until it is complete.
  const mode_t mode = replaced ? (*replaced & 0666U) | 0600U : 0666U;
  const Descriptor file(::open(temporary_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode));
  if (file.get() < 0) {
    const int error = errno;
    release_temporary(slot_);
    throw_io(target_, "cannot create a file in the folder " + printable(folder_of(target_)), error);
  }
}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(temporary_.c_str());
  release_temporary(slot_);
}

void AtomicFile::commit() {
  require(!committed_, ErrorCode::kInternal, printable(target_) + ": committed twice");
  Descriptor file(::open(temporary_.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (file.get() < 0) throw_io(target_, "the temporary file is gone", errno);
  if (const auto replaced = check_target(target_, overwrite_)) {
    // Refused on file systems without permissions, where there is nothing to keep.
    static_cast<void>(::fchmod(file.get(), *replaced));
  }
  if (::fsync(file.get()) != 0 || !file.close()) throw_io(target_, "cannot be stored", errno);

  int error = 0;
  if (overwrite_ == Overwrite::kNo) {
    error = rename_without_replacing(temporary_, target_);
  } else if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    error = errno;
  }
  if (error == EEXIST) throw_exists(target_);
  if (error != 0) throw_io(target_, "cannot be given its final name", error);
  committed_ = true;

  const Descriptor folder(::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems have no fsync of a folder (EINVAL); there the rename is as safe as it gets.
  if (folder.get() < 0 || (::fsync(folder.get()) != 0 && errno != EINVAL)) {
    throw_io(target_, "the folder cannot be stored", errno);
  }
}

void write_file_atomically(const fs::path& target, std::string_view bytes, Overwrite overwrite) {
  AtomicFile out(target, overwrite);
  {
    Descriptor file(::open(out.temporary().c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (file.get() < 0) throw_io(target, "cannot be written", errno);
    write_all(file.get(), bytes, target);
    if (!file.close()) throw_io(target, "cannot be written", errno);
  }
  out.commit();
}

void remove_live_temporaries() noexcept {
  const int saved = errno;
  for (Slot& slot : live_temporaries) {
    int expected = kLive;
    if (slot.state.compare_exchange_strong(expected, kRemoved)) ::unlink(slot.path.data());
  }
  errno = saved;
}

}  // namespace qingyin
