#include "pipeline/batch/journal_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "core/error.h"
#include "core/text.h"

namespace qingyin::batch {
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t kVersion = 1;

// The folder itself is locked: one process at a time makes or mends its journal.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    int result = -1;
    if (descriptor_ >= 0) {
      do {
        result = ::flock(descriptor_, LOCK_EX);
      } while (result != 0 && errno == EINTR);
    }
    if (result == 0) return;
    const int error = errno;
    if (descriptor_ >= 0) ::close(descriptor_);
    throw Error(ErrorCode::kIo,
                "the output folder " + printable(folder) + " cannot be used: " +
                    std::generic_category().message(error) + "; choose another one with -o",
                "unwritable");
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

void refuse_network(const fs::path& folder) {
  constexpr unsigned long kCifs = 0xFF534D42, kSmb2 = 0xFE534D42, kCeph = 0x00C36400;
  struct statfs facts = {};
  if (::statfs(folder.c_str(), &facts) != 0) return;
  const auto type = static_cast<unsigned long>(facts.f_type) & 0xFFFFFFFFUL;
  const bool is_network = type == NFS_SUPER_MAGIC || type == SMB_SUPER_MAGIC || type == kCifs ||
                          type == kSmb2 || type == AFS_SUPER_MAGIC || type == V9FS_MAGIC ||
                          type == kCeph;
  if (!is_network) return;
  throw Error(ErrorCode::kIo,
              "the output folder " + printable(folder) +
                  " lies on a network file system, where a journal cannot be shared safely; "
                  "choose a local folder with -o and copy the results",
              "network_folder");
}

std::int64_t number_of(Database& database, const char* pragma) {
  Statement statement(database, pragma);
  return statement.step() ? statement.integer(0) : 0;
}

void make_tables(Database& database) {
  Transaction transaction(database);
  if (number_of(database, "PRAGMA user_version") == kVersion) return;
  database.run(
      "CREATE TABLE workers(id INTEGER PRIMARY KEY AUTOINCREMENT, boot_id TEXT, pid_space TEXT,"
      " pid INTEGER, start_ticks INTEGER, heartbeat_s REAL);"
      "CREATE TABLE items(slot BLOB PRIMARY KEY, input BLOB, settings TEXT, mark TEXT,"
      " state TEXT NOT NULL, owns INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,"
      " worker INTEGER, token INTEGER NOT NULL DEFAULT 0, code TEXT, reason TEXT, message TEXT,"
      " key TEXT, seconds REAL);"
      "CREATE INDEX items_by_worker ON items(worker) WHERE worker IS NOT NULL;"
      "CREATE TABLE outputs(slot BLOB, path BLOB, mark TEXT, PRIMARY KEY(slot, path));"
      "PRAGMA user_version = 1");
  transaction.commit();
}

std::unique_ptr<Database> open_sound(const fs::path& file) {
  auto database = std::make_unique<Database>(file, Database::Mode::kWrite);
  database->run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  {
    Statement check(*database, "PRAGMA quick_check(1)");
    const bool is_sound = check.step() && check.text(0) == "ok";
    if (!is_sound) {
      throw Error(ErrorCode::kIo, "the journal " + printable(file) + " is damaged", "damaged");
    }
  }
  const std::int64_t version = number_of(*database, "PRAGMA user_version");
  if (version > kVersion) {
    throw Error(ErrorCode::kIo,
                "the journal " + printable(file) +
                    " was written by a later qingyin; use that one, or choose another folder",
                "newer");
  }
  if (version < kVersion) make_tables(*database);
  return database;
}

fs::path move_aside(const fs::path& file) {
  std::error_code error;
  fs::path aside;
  for (int number = 1; aside.empty() || fs::exists(aside, error); ++number) {
    aside = file.native() + ".damaged-" + std::to_string(number);
  }
  fs::rename(file, aside, error);
  if (error) {
    throw Error(ErrorCode::kIo,
                "the damaged journal " + printable(file) + " cannot be moved aside: " +
                    error.message() + "; remove it, the reports beside the results replace it",
                "journal");
  }
  for (const char* part : {"-wal", "-shm"}) {
    fs::rename(file.native() + part, aside.native() + part, error);
  }
  return aside;
}

}  // namespace

OpenedJournal open_journal(const fs::path& folder) {
  refuse_network(folder);
  const FolderLock lock(folder);
  const fs::path file = folder / kJournalName;
  try {
    return {open_sound(file), {}};
  } catch (const Error& error) {
    if (error.reason() != "damaged") throw;
  }
  const fs::path aside = move_aside(file);
  return {open_sound(file), aside};
}

std::unique_ptr<Database> look_at_journal(const fs::path& folder) {
  std::error_code error;
  const fs::path file = folder / kJournalName;
  if (!fs::exists(file, error)) return nullptr;
  return std::make_unique<Database>(file, Database::Mode::kRead);
}

}  // namespace qingyin::batch
