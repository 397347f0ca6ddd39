#pragma once

#include <filesystem>

#include "sync/stem_block.h"

namespace qingyin {

/// Stems on disk instead of in memory: a file without a name, gone with the object or the process.
class Spool {
 public:
  /// @throws Error kIo if the folder is not writable
  explicit Spool(std::filesystem::path folder);
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Appends a block. @throws Error kIo on a full disk
  void write(const StemBlock& block);
  /// The next read gives the first block again.
  void rewind();
  /// The blocks as they were written; a block of length 0 after the last. @throws Error kIo
  StemBlock read();

 private:
  void write_bytes(const void* data, std::size_t size);
  void read_bytes(void* data, std::size_t size);
  [[noreturn]] void fail(const char* what) const;

  std::filesystem::path folder_;
  int file_ = -1;
  std::int64_t written_ = 0, read_ = 0;  // bytes
};

}  // namespace qingyin
