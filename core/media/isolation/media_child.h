#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>

#include "core/media/isolation/channel.h"

namespace qingyin::media {

/// A process of its own (the program `qingyin-media`, beside the running one) that does one piece
/// of media work on one file: it gets open descriptors, no names, and is shut in
/// (`enter_sandbox`) before it reads a byte of the file. Ends with this object.
class MediaChild {
 public:
  /// @param input   the clip, opened here: regular files only
  /// @param output  an existing file that the child writes; empty: none
  /// @throws Error  kInvalidInput as InputFile; kInternal if the program cannot be started
  MediaChild(const std::filesystem::path& input, const std::filesystem::path& output,
             const MediaLimits& limits);
  ~MediaChild();
  MediaChild(const MediaChild&) = delete;
  MediaChild& operator=(const MediaChild&) = delete;

  /// Sends a message. @throws Error as `receive`
  void send(Word word, const std::string& body);
  /// The next message, its body in `body`.
  /// @param patience  longest wait without news; the default is for work that answers at once
  /// @throws Error  what the child reports; kInvalidInput with reason "decoder_crashed" if it died
  ///                of its own, "limit" if it was stopped or stood still
  Word receive(std::string& body);
  Word receive(std::string& body, Seconds patience);
  /// The same, and the message must be this one.
  void expect(Word word, std::string& body, Seconds patience);

  /// The longest silence while the child goes through the whole file once or twice.
  Seconds patience_for_file() const;
  const MediaLimits& limits() const { return limits_; }
  pid_t process() const { return process_; }

 private:
  void start(int input, int output, int socket);
  [[noreturn]] void explain(Channel::Outcome outcome);
  int end();
  int await_end();

  std::filesystem::path path_;
  MediaLimits limits_;
  std::int64_t bytes_ = 0;
  pid_t process_ = -1;
  int socket_ = -1;
};

}  // namespace qingyin::media
