#include "core/media/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/media/lent_files.h"
#include "core/text.h"

namespace qingyin::media {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what,
                         const std::string& reason) {
  throw Error(ErrorCode::kInvalidInput, "media: " + printable(path) + ": " + what, reason);
}

// The caller may name a link; what it leads to is opened without following any more of them.
std::filesystem::path resolved(const std::filesystem::path& path) {
  std::error_code error;
  const auto result = std::filesystem::canonical(path, error);
  if (!error) return result;
  if (error == std::errc::permission_denied) {
    refuse(path, "no permission to reach this file; check its access rights", "unreadable");
  }
  refuse(path, "no such file (" + error.message() + "); check the name", "not_found");
}

}  // namespace

int open_regular(const std::filesystem::path& path, std::int64_t& bytes) {
  if (const int copy = lent_copy(path); copy >= 0) {
    bytes = ::lseek(copy, 0, SEEK_END);
    return copy;
  }
  const auto file = resolved(path);
  // O_NONBLOCK: a FIFO without a writer must not block before fstat can refuse it.
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (descriptor < 0) {
    const int error = errno;
    refuse(path, std::string("cannot be opened: ") + std::strerror(error),
           error == ENOENT  ? "not_found"
           : error == ENXIO ? "not_a_file"
                            : "unreadable");
  }
  struct stat facts = {};
  if (::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    ::close(descriptor);
    refuse(path, "is not a regular file; expected a video file", "not_a_file");
  }
  if (facts.st_size == 0) {
    ::close(descriptor);
    refuse(path, "is empty (0 bytes); expected a video file", "unreadable");
  }
  bytes = facts.st_size;
  return descriptor;
}

InputFile::InputFile(const std::filesystem::path& path, const Watch& watch)
    : watch_(watch), descriptor_(open_regular(path, bytes_)) {
  constexpr int kBuffer = 64 * 1024;
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBuffer));
  context_ = avio_alloc_context(buffer, kBuffer, 0, this, read, nullptr, seek);
  if (!context_) {
    av_free(buffer);
    ::close(descriptor_);
    throw Error(ErrorCode::kDevice, "media: out of memory");
  }
}

InputFile::~InputFile() {
  av_freep(&context_->buffer);
  avio_context_free(&context_);
  ::close(descriptor_);
}

int InputFile::read(void* self, std::uint8_t* buffer, int size) {
  auto& file = *static_cast<InputFile*>(self);
  if (file.watch_.expired()) return AVERROR_EXIT;
  ssize_t got = 0;
  do {
    got = ::pread(file.descriptor_, buffer, static_cast<std::size_t>(size), file.position_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    file.read_failed_ = true;
    return AVERROR(errno);
  }
  if (got == 0) return AVERROR_EOF;
  file.position_ += got;
  return static_cast<int>(got);
}

std::int64_t InputFile::seek(void* self, std::int64_t offset, int whence) {
  auto& file = *static_cast<InputFile*>(self);
  if (whence == AVSEEK_SIZE) return file.bytes_;
  const std::int64_t base = (whence & ~AVSEEK_FORCE) == SEEK_CUR   ? file.position_
                            : (whence & ~AVSEEK_FORCE) == SEEK_END ? file.bytes_
                                                                   : 0;
  std::int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) return AVERROR(EINVAL);
  return file.position_ = target;
}

}  // namespace qingyin::media
