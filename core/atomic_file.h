#pragma once

#include <filesystem>
#include <string_view>

namespace qingyin {

enum class Overwrite { kNo, kYes };

/// Output that a reader sees whole or not at all: written to `.NAME.PID.RANDOM.part` in the target
/// folder, fsynced, renamed to its final name, folder fsynced. Destroyed without `commit`, it
/// removes the temporary file.
class AtomicFile {
 public:
  /// Creates the (empty) temporary file, so an unwritable folder fails before any work.
  /// @throws Error  kIo if the folder is missing or not writable, or if the target exists and
  ///                `overwrite` is kNo
  AtomicFile(std::filesystem::path target, Overwrite overwrite);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& target() const { return target_; }
  /// Where to write; stays valid until `commit`.
  const std::filesystem::path& temporary() const { return temporary_; }

  /// fsync, rename (never over an existing file unless kYes), fsync of the folder.
  /// @throws Error kIo
  void commit();

 private:
  std::filesystem::path target_, temporary_;
  Overwrite overwrite_;
  bool committed_ = false;
};

/// Writes a small file in one go, atomically. @throws Error kIo
void write_file_atomically(const std::filesystem::path& target, std::string_view bytes,
                           Overwrite overwrite);

}  // namespace qingyin
