#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace qingyin {

enum class DigestKind { kSha256, kSha1, kMd5 };

/// A digest of bytes that come in pieces. SHA-1 and MD5 are here to check files against the digests
/// that their publishers give, not for security.
class Digest {
 public:
  explicit Digest(DigestKind kind);
  ~Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;

  void add(const void* bytes, std::size_t count);
  /// Hexadecimal digits, lower case. Ends the digest: nothing can be added afterwards.
  std::string hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// Adds a file's bytes, read in pieces. @throws Error kInvalidInput if it cannot be read
void add_file(Digest& digest, const std::filesystem::path& path);

}  // namespace qingyin
