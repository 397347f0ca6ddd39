#include "core/sha256.h"

#include <gtest/gtest.h>

#include "tests/core/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

// FIPS 180-2, appendix B, and the empty message.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, HashesAFileInPieces) {
  const TemporaryFolder folder;
  const std::string bytes(3 * (1 << 20) + 17, '\0');
  put(folder / "zeros", bytes);
  EXPECT_EQ(sha256_of_file(folder / "zeros"), sha256_hex(bytes));
  put(folder / "empty", "");
  EXPECT_EQ(sha256_of_file(folder / "empty"), sha256_hex(""));
}

TEST(Sha256, RefusesWhatIsNoReadableFile) {
  const TemporaryFolder folder;
  const auto missing =
      expect_error(ErrorCode::kInvalidInput, [&] { sha256_of_file(folder / "missing.mp4"); });
  EXPECT_CONTAINS(missing, "missing.mp4");
  EXPECT_CONTAINS(missing, "No such file");
  EXPECT_CONTAINS(expect_error(ErrorCode::kInvalidInput, [&] { sha256_of_file(folder.path()); }),
                  "not a regular file");
  expect_error(ErrorCode::kInvalidInput, [] { sha256_of_file("/dev/zero"); });
}

}  // namespace
}  // namespace qingyin::test
