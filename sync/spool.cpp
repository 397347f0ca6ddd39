#include "sync/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "core/disk_full.h"
#include "core/error.h"

namespace qingyin {
namespace {

int open_unnamed(const std::filesystem::path& folder) {
  const int file = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return file;
  // Some network file systems know no unnamed files.
  std::string name = folder / ".qingyin.XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

Spool::Spool(std::filesystem::path folder) : folder_(std::move(folder)) {
  file_ = open_unnamed(folder_);
  if (file_ < 0) fail("cannot make a temporary file");
}

Spool::~Spool() { ::close(file_); }

void Spool::fail(const char* what) const {
  const int error = errno;
  const std::string reason = errno != 0 ? std::strerror(errno) : "it is shorter than it was";
  throw Error(ErrorCode::kIo,
              std::string("sync: ") + what + " in " + folder_.string() + ": " + reason +
                  "; free some space there or name another folder",
              disk_reason(error));
}

void Spool::write_bytes(const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t count = ::pwrite(file_, at, size, written_);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("cannot write a temporary file");
    at += count;
    size -= static_cast<std::size_t>(count);
    written_ += count;
  }
}

void Spool::read_bytes(void* data, std::size_t size) {
  char* at = static_cast<char*>(data);
  while (size > 0) {
    errno = 0;
    const ssize_t count = ::pread(file_, at, size, read_);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("cannot read a temporary file");
    at += count;
    size -= static_cast<std::size_t>(count);
    read_ += count;
  }
}

void Spool::write(const StemBlock& block) {
  const std::int64_t head[] = {block.length, static_cast<std::int64_t>(block.stems.size())};
  if (block.length == 0) return;
  write_bytes(head, sizeof(head));
  for (const auto& stem : block.stems) write_bytes(stem.data(), stem.size() * sizeof(float));
}

void Spool::rewind() { read_ = 0; }

StemBlock Spool::read() {
  if (read_ == written_) return {};
  std::int64_t head[2];
  read_bytes(head, sizeof(head));
  StemBlock block{.length = head[0], .stems = {}};
  block.stems.resize(static_cast<std::size_t>(head[1]));
  for (auto& stem : block.stems) {
    stem.resize(static_cast<std::size_t>(2 * block.length));
    read_bytes(stem.data(), stem.size() * sizeof(float));
  }
  return block;
}

}  // namespace qingyin
