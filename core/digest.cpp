#include "core/digest.h"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <vector>

#include "core/error.h"
#include "core/text.h"

namespace qingyin {
namespace {

const EVP_MD* algorithm(DigestKind kind) {
  switch (kind) {
    case DigestKind::kSha256:
      return EVP_sha256();
    case DigestKind::kSha1:
      return EVP_sha1();
    case DigestKind::kMd5:
      return EVP_md5();
  }
  return nullptr;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

[[noreturn]] void throw_unreadable(const std::filesystem::path& path, int error) {
  throw Error(ErrorCode::kInvalidInput,
              printable(path) + ": cannot be read: " + std::generic_category().message(error) +
                  "; expected a readable regular file");
}

}  // namespace

struct Digest::Context {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> handle{EVP_MD_CTX_new()};
};

Digest::Digest(DigestKind kind) : context_(std::make_unique<Context>()) {
  EVP_MD_CTX* const handle = context_->handle.get();
  require(handle && EVP_DigestInit_ex(handle, algorithm(kind), nullptr) == 1, ErrorCode::kInternal,
          "digest: OpenSSL does not offer this algorithm");
}

Digest::~Digest() = default;

void Digest::add(const void* bytes, std::size_t count) {
  require(EVP_DigestUpdate(context_->handle.get(), bytes, count) == 1, ErrorCode::kInternal,
          "digest: OpenSSL refused an update");
}

std::string Digest::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  require(EVP_DigestFinal_ex(context_->handle.get(), digest.data(), &size) == 1,
          ErrorCode::kInternal, "digest: OpenSSL gave no digest");
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (unsigned i = 0; i < size; ++i) {
    out += kDigits[digest[i] >> 4U];
    out += kDigits[digest[i] & 15U];
  }
  return out;
}

void add_file(Digest& digest, const std::filesystem::path& path) {
  std::error_code status_error;
  const auto status = std::filesystem::status(path, status_error);
  require(!std::filesystem::exists(status) || std::filesystem::is_regular_file(status),
          ErrorCode::kInvalidInput,
          printable(path) + ": is not a regular file; only regular files are hashed");
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (!file) throw_unreadable(path, errno);
  constexpr std::size_t kPieceBytes = 1 << 20;
  std::vector<unsigned char> piece(kPieceBytes);
  while (const std::size_t count = std::fread(piece.data(), 1, piece.size(), file.get())) {
    digest.add(piece.data(), count);
  }
  if (std::ferror(file.get()) != 0) throw_unreadable(path, errno);
}

}  // namespace qingyin
