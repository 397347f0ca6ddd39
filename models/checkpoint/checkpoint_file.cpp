#include "models/checkpoint/checkpoint_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  std::string_view kind;
};

using std::string_view_literals::operator""sv;

constexpr std::array<Signature, 14> kSignatures{{
    {0, "version https://git-lfs"sv, "a git-lfs pointer (fetch the real file with `git lfs pull`)"},
    {0, "PK\3\4"sv, "a zip archive"},
    {0, "PK\5\6"sv, "an empty zip archive"},
    {0, "7z\xBC\xAF\x27\x1C"sv, "a 7z archive"},
    {0, "\x1F\x8B"sv, "a gzip file"},
    {0, "\x89HDF\r\n\x1A\n"sv, "an HDF5 file"},
    {0, "\x93NUMPY"sv, "a NumPy npy file"},
    {0, "GGUF"sv, "a GGUF file"},
    {0, "<!DOCTYPE"sv, "an HTML page"},
    {0, "<!doctype"sv, "an HTML page"},
    {0, "<html"sv, "an HTML page"},
    {0, "Rar!"sv, "a RAR archive"},
    {257, "ustar"sv, "a tar archive"},
    {0, "BZh"sv, "a bzip2 file"},
}};

bool is_text(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](char c) {
    return c == '\n' || c == '\r' || c == '\t' || (c >= 0x20 && c != 0x7F);
  });
}

constexpr std::size_t kAlignment = 64;

}  // namespace

void refuse_checkpoint(const std::filesystem::path& file, const std::string& defect) {
  throw Error(ErrorCode::kBadCheckpoint, "checkpoint " + printable(file) + ": " + defect);
}

std::string_view known_file_kind(std::string_view first_bytes) {
  for (const Signature& s : kSignatures)
    if (first_bytes.size() >= s.offset && first_bytes.substr(s.offset).starts_with(s.bytes))
      return s.kind;
  if (first_bytes.empty()) return "an empty file";
  if (is_text(first_bytes)) return "a text file";
  if (std::ranges::all_of(first_bytes, [](char c) { return c == 0; })) return "a run of zero bytes";
  return {};
}

CheckpointFile::CheckpointFile(std::filesystem::path path) : path_(std::move(path)) {
  // Non-blocking, so that a named pipe is refused instead of waited for.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR)
      throw Error(ErrorCode::kModelMissing, "checkpoint " + printable(path_) + ": no such file");
    refuse_checkpoint(path_, std::string("cannot be opened: ") + std::strerror(error));
  }
  struct stat facts {};
  const bool is_known = ::fstat(descriptor_, &facts) == 0;
  if (!is_known || !S_ISREG(facts.st_mode)) {
    ::close(descriptor_);
    refuse_checkpoint(path_, "is not a regular file");
  }
  size_ = static_cast<std::uint64_t>(facts.st_size);
}

CheckpointFile::~CheckpointFile() { ::close(descriptor_); }

void CheckpointFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > size_ || out.size() > size_ - offset)
    refuse_checkpoint(path_, "is truncated: it ends before byte " + std::to_string(offset) + " + " +
                                 std::to_string(out.size()));
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse_checkpoint(path_, std::string("cannot be read: ") + std::strerror(errno));
    if (got == 0) refuse_checkpoint(path_, "was truncated while it was read");
    out = out.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
}

std::string CheckpointFile::read_text(std::uint64_t offset, std::uint64_t count) const {
  if (offset > size_ || count > size_ - offset)
    refuse_checkpoint(path_, "is truncated: it ends before byte " + std::to_string(offset) + " + " +
                                 std::to_string(count));
  std::string text(static_cast<std::size_t>(count), '\0');
  read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

std::string CheckpointFile::first_bytes(std::uint64_t count) const {
  return read_text(0, std::min(count, size_));
}

TensorBytes::TensorBytes(std::uint64_t size)
    : data_(static_cast<std::byte*>(
                ::operator new[](static_cast<std::size_t>(size), std::align_val_t{kAlignment})),
            [](std::byte* bytes) { ::operator delete[](bytes, std::align_val_t{kAlignment}); }),
      size_(size) {}

}  // namespace qingyin
