#pragma once

#include <chrono>
#include <filesystem>

#include "core/media/ffmpeg.h"
#include "core/time.h"

namespace qingyin::media {

/// Ends work that does not get on: FFmpeg asks it through its interrupt callback, and every read
/// of the file asks it too.
class Watch {
 public:
  explicit Watch(Seconds no_progress) : limit_(no_progress) {}
  void progress() { last_ = Clock::now(); }
  bool expired() const { return Clock::now() - last_ > limit_; }

 private:
  using Clock = std::chrono::steady_clock;
  Seconds limit_;
  Clock::time_point last_ = Clock::now();
};

/// Opens a regular file for reading: links in the name are followed first, the file itself is
/// opened without following any, and nothing that could block is waited for.
/// @returns an open descriptor; the file's size in `bytes`
/// @throws Error kInvalidInput with reason "not_found", "not_a_file" or "unreadable"
int open_regular(const std::filesystem::path& path, std::int64_t& bytes);

/// A regular file behind an AVIOContext of our own, so that no name ever reaches libavformat.
class InputFile {
 public:
  /// @throws Error kInvalidInput with reason "not_found", "not_a_file" or "unreadable"
  InputFile(const std::filesystem::path& path, const Watch& watch);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  AVIOContext* context() const { return context_; }
  std::int64_t bytes() const { return bytes_; }
  /// True if the system failed a read (not: the data was bad).
  bool read_failed() const { return read_failed_; }

 private:
  static int read(void* self, std::uint8_t* buffer, int size);
  static std::int64_t seek(void* self, std::int64_t offset, int whence);

  const Watch& watch_;
  std::int64_t bytes_ = 0, position_ = 0;
  int descriptor_;
  bool read_failed_ = false;
  AVIOContext* context_ = nullptr;
};

}  // namespace qingyin::media
