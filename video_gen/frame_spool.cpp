#include "video_gen/frame_spool.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/error.h"
#include "core/text.h"
#include "video_gen/memory_plan.h"

namespace qingyin {

FrameSpool::FrameSpool(std::int64_t frames, std::int64_t height, std::int64_t width)
    : frame_bytes_(static_cast<std::size_t>(height * width * 3)),
      size_(frame_bytes_ * static_cast<std::size_t>(frames)) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  std::string name = (folder / "qingyin-frames-XXXXXX").string();
  const int file = ::mkstemp(name.data());
  if (file >= 0) {
    ::unlink(name.c_str());
    // Reserved at once: a full disk is an error here, not a signal at some later write.
    const bool has_room = ::posix_fallocate(file, 0, static_cast<off_t>(size_)) == 0;
    void* data =
        has_room ? ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file, /*offset=*/0)
                 : MAP_FAILED;
    ::close(file);
    if (data != MAP_FAILED) data_ = static_cast<std::uint8_t*>(data);
  }
  require(data_ != nullptr, ErrorCode::kIo,
          printable(folder) + ": has no room for " + gigabytes(static_cast<std::int64_t>(size_)) +
              " of decoded frames; free some, or set TMPDIR to another folder");
}

FrameSpool::~FrameSpool() { ::munmap(data_, size_); }

std::span<std::uint8_t> FrameSpool::frame(std::int64_t i) {
  return {data_ + frame_bytes_ * static_cast<std::size_t>(i), frame_bytes_};
}

}  // namespace qingyin
