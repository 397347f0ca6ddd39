#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace qingyin {

/// Pictures [height, width, 3] of a clip that come in pieces, kept in a temporary file: memory only
/// caches them. The file has no name and is gone with the object.
class FrameSpool {
 public:
  /// @throws Error kIo if the temporary folder has no room
  FrameSpool(std::int64_t frames, std::int64_t height, std::int64_t width);
  ~FrameSpool();
  FrameSpool(const FrameSpool&) = delete;
  FrameSpool& operator=(const FrameSpool&) = delete;

  std::span<std::uint8_t> frame(std::int64_t i);

 private:
  std::size_t frame_bytes_, size_;
  std::uint8_t* data_ = nullptr;
};

}  // namespace qingyin
