#pragma once

#include <cstdint>
#include <filesystem>

#include "core/media/ffmpeg.h"

namespace qingyin::media {

/// An existing file that a muxer writes, behind an AVIOContext of our own, so that the first
/// failed write is remembered and no name reaches libavformat.
class OutputFile {
 public:
  /// @throws Error kIo
  explicit OutputFile(const std::filesystem::path& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  AVIOContext* context() const { return context_; }
  /// A second context that reads the same file (moving the index to the front needs it); the
  /// caller gives it to `free_reader`. Null if memory is out.
  AVIOContext* make_reader();
  static void free_reader(AVIOContext* reader);
  /// The system's number of the first failed write, 0 if none failed.
  int error() const { return error_; }

 private:
  static int read(void* cursor, std::uint8_t* buffer, int size);
  static int write(void* cursor, std::uint8_t* buffer, int size);
  static std::int64_t seek(void* cursor, std::int64_t offset, int whence);

  // One place in the file; each context has its own.
  struct Cursor {
    OutputFile* file;
    std::int64_t position = 0;
  };
  static AVIOContext* make_context(Cursor* cursor, bool writable);

  int descriptor_ = -1;
  int error_ = 0;
  Cursor cursor_{this};
  AVIOContext* context_ = nullptr;
};

}  // namespace qingyin::media
