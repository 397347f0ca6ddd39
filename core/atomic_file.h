#pragma once

#include <filesystem>
#include <string_view>

namespace qingyin {

enum class Overwrite { kNo, kYes };

/// Output that a reader sees whole or not at all: written to `.NAME.PID.RANDOM.part` in the target
/// folder (NAME shortened where the whole would pass 255 bytes), fsynced, renamed to its final
/// name, folder fsynced. Destroyed without `commit`, it removes the temporary file. A replaced file
/// hands its permissions on; a symbolic link is replaced itself, not what it points to.
class AtomicFile {
 public:
  /// Creates the (empty) temporary file, so an unwritable folder fails before any work.
  /// @throws Error  kIo if the folder is missing or not writable, if the target exists and
  ///                `overwrite` is kNo, or if it is a folder or a device
  AtomicFile(std::filesystem::path target, Overwrite overwrite);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& target() const { return target_; }
  /// Where to write; stays valid until `commit`.
  const std::filesystem::path& temporary() const { return temporary_; }

  /// fsync, rename (never over an existing file unless kYes), fsync of the folder. After an error
  /// of the rename the temporary is still there until destruction.
  /// @throws Error  kIo; reason "disk_full" when space or quota ran out, "exists" when the target
  ///                appeared meanwhile
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  Overwrite overwrite_;
  bool committed_ = false;
  int slot_ = -1;  // of the table of live temporaries
};

/// Writes a small file in one go, atomically. @throws Error kIo
void write_file_atomically(const std::filesystem::path& target, std::string_view bytes,
                           Overwrite overwrite);

/// Removes the temporary file of every living AtomicFile of this process. Async-signal-safe: it
/// neither allocates nor locks, so a handler of SIGINT or SIGTERM may call it before `_exit`. The
/// table holds the first 128 files alive at a time with paths up to 4095 bytes; any further one is
/// left to its destructor. Meant for a process on its way out: files it removed cannot be
/// committed.
void remove_live_temporaries() noexcept;

}  // namespace qingyin
