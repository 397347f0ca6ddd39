#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace qingyin::media {

/// What FFmpeg complains about while it works on one file. The first log that is made takes over
/// FFmpeg's process-wide log callback, so nothing of it reaches stderr.
/// A message belongs to the log named by its context's `opaque` (decoder threads), else to the log
/// that is current on the calling thread.
class MediaLog {
 public:
  MediaLog();
  ~MediaLog();
  MediaLog(const MediaLog&) = delete;
  MediaLog& operator=(const MediaLog&) = delete;

  /// Makes a log current on this thread for as long as the scope lives.
  class Scope {
   public:
    explicit Scope(MediaLog& log);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    MediaLog* previous_;
  };

  void add(const std::string& message);
  /// Error lines so far.
  std::int64_t errors() const;
  /// The first error line, printable; empty if there was none.
  std::string first() const;

 private:
  mutable std::mutex mutex_;
  std::int64_t errors_ = 0;
  std::string first_;
};

/// Text from a file made fit to print and to store as JSON: valid UTF-8 without control characters.
std::string cleaned(std::string_view text);

}  // namespace qingyin::media
