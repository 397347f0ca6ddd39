#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace qingyin {

/// Throws Error kBadCheckpoint: "FILE: DEFECT".
[[noreturn]] void refuse_checkpoint(const std::filesystem::path& file, const std::string& defect);

/// What a file is by its first bytes, where it is a well-known kind of file that is no checkpoint
/// of ours ("a git-lfs pointer", "a 7z archive", ...); empty if unknown.
std::string_view known_file_kind(std::string_view first_bytes);

/// A regular file opened for reading at any position. Reads copy: a file that shrinks meanwhile is
/// a refusal, never a signal. Const calls may overlap.
class CheckpointFile {
 public:
  /// @throws Error  kModelMissing if there is no such file; kBadCheckpoint if it is not a regular
  ///                file or cannot be opened
  explicit CheckpointFile(std::filesystem::path path);
  ~CheckpointFile();
  CheckpointFile(const CheckpointFile&) = delete;
  CheckpointFile& operator=(const CheckpointFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Size in bytes when it was opened.
  std::uint64_t size() const { return size_; }

  /// Fills `out` from byte `offset` on. @throws Error kBadCheckpoint if the file ends before
  void read(std::uint64_t offset, std::span<std::byte> out) const;
  /// The bytes [offset, offset + count), which must lie in the file.
  std::string read_text(std::uint64_t offset, std::uint64_t count) const;
  /// At most the first `count` bytes.
  std::string first_bytes(std::uint64_t count) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// Bytes that are shared so that a tensor can live in them: uninitialised ones on a 64-byte border,
/// or those of another owner.
class TensorBytes {
 public:
  explicit TensorBytes(std::uint64_t size);
  /// Bytes that live elsewhere, as long as `data` is kept.
  TensorBytes(std::shared_ptr<std::byte[]> data, std::uint64_t size)
      : data_(std::move(data)), size_(size) {}

  std::byte* data() const { return data_.get(); }
  std::uint64_t size() const { return size_; }
  std::span<std::byte> span() const { return {data_.get(), static_cast<std::size_t>(size_)}; }
  const std::shared_ptr<std::byte[]>& owner() const { return data_; }

 private:
  std::shared_ptr<std::byte[]> data_;
  std::uint64_t size_;
};

}  // namespace qingyin
