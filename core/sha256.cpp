#include "core/sha256.h"

#include "core/digest.h"

namespace qingyin {

std::string sha256_hex(std::string_view bytes) {
  Digest digest(DigestKind::kSha256);
  digest.add(bytes.data(), bytes.size());
  return digest.hex();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  Digest digest(DigestKind::kSha256);
  add_file(digest, path);
  return digest.hex();
}

}  // namespace qingyin
