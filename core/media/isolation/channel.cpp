#include "core/media/isolation/channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace qingyin::media {
namespace {

// A frame of the largest accepted picture in three channels, and room for what stands around it.
constexpr std::uint64_t kLongestBody = 3ULL * 35389440 * 2 + (1 << 20);

}  // namespace

Channel::Outcome Channel::wait(short events, Seconds patience) const {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(patience);
  while (true) {
    int milliseconds = -1;
    if (patience.count() >= 0) {
      const Seconds left = end - Clock::now();
      if (left.count() <= 0) return Outcome::kTimeout;
      milliseconds = static_cast<int>(std::min(left.count(), 1e6) * 1000) + 1;
    }
    pollfd line = {socket_, events, 0};
    const int ready = ::poll(&line, 1, milliseconds);
    if (ready > 0) return Outcome::kDone;
    if (ready < 0 && errno != EINTR) return Outcome::kClosed;
  }
}

Channel::Outcome Channel::move_in(char* to, std::size_t size, Seconds patience) {
  while (size > 0) {
    const Outcome ready = wait(POLLIN, patience);
    if (ready != Outcome::kDone) return ready;
    const ssize_t got = ::recv(socket_, to, size, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return Outcome::kClosed;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return Outcome::kDone;
}

Channel::Outcome Channel::move_out(const char* from, std::size_t size, Seconds patience) {
  while (size > 0) {
    const Outcome ready = wait(POLLOUT, patience);
    if (ready != Outcome::kDone) return ready;
    const ssize_t put = ::send(socket_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (put <= 0) return Outcome::kClosed;
    from += put;
    size -= static_cast<std::size_t>(put);
  }
  return Outcome::kDone;
}

Channel::Outcome Channel::send(Word word, const std::string& body, Seconds patience) {
  const std::string header = WireWriter()
                                 .number(static_cast<std::uint64_t>(word))
                                 .number(static_cast<std::uint64_t>(body.size()))
                                 .bytes();
  const Outcome outcome = move_out(header.data(), header.size(), patience);
  return outcome == Outcome::kDone ? move_out(body.data(), body.size(), patience) : outcome;
}

Channel::Outcome Channel::receive(Word& word, std::string& body, Seconds patience) {
  std::uint64_t header[2] = {};
  Outcome outcome = move_in(reinterpret_cast<char*>(header), sizeof header, patience);
  if (outcome != Outcome::kDone) return outcome;
  if (header[1] > kLongestBody) return Outcome::kClosed;
  word = static_cast<Word>(header[0]);
  body.resize(header[1]);
  return move_in(body.data(), body.size(), patience);
}

}  // namespace qingyin::media
