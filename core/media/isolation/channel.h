#pragma once

#include <string>

#include "core/media/isolation/wire.h"

namespace qingyin::media {

/// The descriptors that a media child finds open.
struct ServiceDescriptors {
  int input = 0, socket = 1, messages = 2, output = 3;
};
inline constexpr ServiceDescriptors kService{};

/// One end of the line between a program and its media child: whole messages over a socket.
/// Does not own the socket.
class Channel {
 public:
  /// What became of a message.
  enum class Outcome { kDone, kClosed, kTimeout };

  explicit Channel(int socket) : socket_(socket) {}

  /// @param patience  longest wait without a byte moving; negative: for ever
  Outcome send(Word word, const std::string& body, Seconds patience = Seconds(-1));
  /// A message larger than any that makes sense counts as the end of the line.
  Outcome receive(Word& word, std::string& body, Seconds patience = Seconds(-1));

 private:
  Outcome wait(short events, Seconds patience) const;
  Outcome move_in(char* to, std::size_t size, Seconds patience);
  Outcome move_out(const char* from, std::size_t size, Seconds patience);

  int socket_;
};

}  // namespace qingyin::media
