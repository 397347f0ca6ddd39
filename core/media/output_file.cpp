#include "core/media/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "core/media/lent_files.h"
#include "core/text.h"

namespace qingyin::media {

AVIOContext* OutputFile::make_context(Cursor* cursor, bool writable) {
  constexpr int kBuffer = 256 * 1024;
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBuffer));
  AVIOContext* context = avio_alloc_context(buffer, kBuffer, writable ? 1 : 0, cursor, read,
                                            writable ? write : nullptr, seek);
  if (!context) av_free(buffer);
  return context;
}

OutputFile::OutputFile(const std::filesystem::path& path) : descriptor_(lent_copy(path)) {
  if (descriptor_ < 0) descriptor_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor_ < 0) {
    throw Error(ErrorCode::kIo, "media: " + printable(path) + " cannot be written: " +
                                    std::strerror(errno) + "; check the folder and its rights");
  }
  context_ = make_context(&cursor_, /*writable=*/true);
  if (!context_) {
    ::close(descriptor_);
    throw Error(ErrorCode::kDevice, "media: out of memory");
  }
}

OutputFile::~OutputFile() {
  av_freep(&context_->buffer);
  avio_context_free(&context_);
  ::close(descriptor_);
}

AVIOContext* OutputFile::make_reader() {
  auto cursor = std::make_unique<Cursor>(Cursor{this});
  AVIOContext* reader = make_context(cursor.get(), /*writable=*/false);
  if (reader) cursor.release();
  return reader;
}

void OutputFile::free_reader(AVIOContext* reader) {
  delete static_cast<Cursor*>(reader->opaque);
  av_freep(&reader->buffer);
  avio_context_free(&reader);
}

int OutputFile::read(void* opaque, std::uint8_t* buffer, int size) {
  auto& cursor = *static_cast<Cursor*>(opaque);
  ssize_t got = 0;
  do {
    got =
        ::pread(cursor.file->descriptor_, buffer, static_cast<std::size_t>(size), cursor.position);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return AVERROR(errno);
  if (got == 0) return AVERROR_EOF;
  cursor.position += got;
  return static_cast<int>(got);
}

int OutputFile::write(void* opaque, std::uint8_t* buffer, int size) {
  auto& cursor = *static_cast<Cursor*>(opaque);
  int done = 0;
  while (done < size) {
    const ssize_t put = ::pwrite(cursor.file->descriptor_, buffer + done,
                                 static_cast<std::size_t>(size - done), cursor.position);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      const int error = put < 0 ? errno : EIO;
      if (cursor.file->error_ == 0) cursor.file->error_ = error;
      return AVERROR(error);
    }
    done += static_cast<int>(put);
    cursor.position += put;
  }
  return size;
}

std::int64_t OutputFile::seek(void* opaque, std::int64_t offset, int whence) {
  auto& cursor = *static_cast<Cursor*>(opaque);
  // Not fstat, which a sandbox that knows no paths refuses. The place in the file is nobody's.
  const std::int64_t bytes = ::lseek(cursor.file->descriptor_, 0, SEEK_END);
  if (bytes < 0) return AVERROR(errno);
  if (whence == AVSEEK_SIZE) return bytes;
  const int mode = whence & ~AVSEEK_FORCE;
  const std::int64_t base = mode == SEEK_CUR ? cursor.position : mode == SEEK_END ? bytes : 0;
  std::int64_t target = 0;
  if (__builtin_add_overflow(base, offset, &target) || target < 0) return AVERROR(EINVAL);
  return cursor.position = target;
}

}  // namespace qingyin::media
