#include "core/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    require(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1,
            ErrorCode::kInternal, "sha256: OpenSSL offers no SHA-256");
  }

  void add(const void* bytes, std::size_t count) {
    require(EVP_DigestUpdate(context_.get(), bytes, count) == 1, ErrorCode::kInternal,
            "sha256: OpenSSL refused an update");
  }

  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    require(EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1, ErrorCode::kInternal,
            "sha256: OpenSSL gave no digest");
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (unsigned i = 0; i < size; ++i) {
      out += kDigits[digest[i] >> 4U];
      out += kDigits[digest[i] & 15U];
    }
    return out;
  }

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

[[noreturn]] void throw_unreadable(const std::filesystem::path& path, int error) {
  throw Error(ErrorCode::kInvalidInput,
              printable(path) + ": cannot be read: " + std::generic_category().message(error) +
                  "; expected a readable regular file");
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes.data(), bytes.size());
  return hash.hex();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  std::error_code status_error;
  const auto status = std::filesystem::status(path, status_error);
  require(!std::filesystem::exists(status) || std::filesystem::is_regular_file(status),
          ErrorCode::kInvalidInput,
          printable(path) + ": is not a regular file; only regular files are hashed");
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) throw_unreadable(path, errno);
  constexpr std::size_t kPieceBytes = 1 << 20;
  std::vector<unsigned char> piece(kPieceBytes);
  Sha256 hash;
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), file.get())) {
    hash.add(piece.data(), count);
  }
  if (std::ferror(file.get()) != 0) throw_unreadable(path, errno);
  return hash.hex();
}

}  // namespace qingyin
