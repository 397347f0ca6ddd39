#include "models/registry/model_registry.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/sha256.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

/// Sets an environment variable and restores it.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    const char* before = std::getenv(name);
    if (before != nullptr) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~Environment() {
    if (before_.empty())
      ::unsetenv(name_);
    else
      ::setenv(name_, before_.c_str(), 1);
  }

 private:
  const char* name_;
  std::string before_;
};

TEST(ModelRegistry, ReadsBackTheManifestThatItWrote) {
  const TemporaryFolder folder;
  folder.write("vocoder.safetensors", "some weights");
  folder.write("foley.safetensors", "other weights");
  folder.write("README.md", "not weights");
  write_model_manifest(folder.path(), "Apache-2.0");

  const ModelRegistry registry(folder.path());
  ASSERT_EQ(registry.models().size(), 2U);
  const ModelFile expected{.name = "vocoder",
                           .file = "vocoder.safetensors",
                           .sha256 = sha256_hex("some weights"),
                           .bytes = 12,
                           .licence = "Apache-2.0"};
  EXPECT_EQ(registry.find("vocoder"), expected);
  EXPECT_EQ(registry.verified_path("vocoder"), folder / "vocoder.safetensors");
}

TEST(ModelRegistry, RefusesAChangedFile) {
  const TemporaryFolder folder;
  folder.write("vocoder.safetensors", "some weights");
  write_model_manifest(folder.path(), "Apache-2.0");
  folder.write("vocoder.safetensors", "some weightS");
  EXPECT_TRUE(throws_error([&] { ModelRegistry(folder.path()).verified_path("vocoder"); },
                           ErrorCode::kBadCheckpoint, "SHA-256"));
  folder.write("vocoder.safetensors", "some weights, longer");
  EXPECT_TRUE(throws_error([&] { ModelRegistry(folder.path()).verified_path("vocoder"); },
                           ErrorCode::kBadCheckpoint, "20 bytes, expected 12"));
}

TEST(ModelRegistry, SaysWhatIsMissing) {
  const TemporaryFolder folder;
  EXPECT_TRUE(throws_error([&] { ModelRegistry{folder.path()}; }, ErrorCode::kModelMissing,
                           "manifest.json"));
  folder.write("vocoder.safetensors", "some weights");
  write_model_manifest(folder.path(), "Apache-2.0");
  const ModelRegistry registry(folder.path());
  EXPECT_TRUE(throws_error([&] { registry.verified_path("foley"); }, ErrorCode::kModelMissing,
                           "(there: vocoder)"));
  fs::remove(folder / "vocoder.safetensors");
  EXPECT_TRUE(throws_error([&] { registry.verified_path("vocoder"); }, ErrorCode::kModelMissing,
                           "vocoder.safetensors"));
}

class BrokenManifest : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BrokenManifest, IsRefused) {
  const auto& [text, words] = GetParam();
  const TemporaryFolder folder;
  folder.write("manifest.json", text);
  EXPECT_TRUE(
      throws_error([&] { ModelRegistry{folder.path()}; }, ErrorCode::kBadCheckpoint, words));
}

#define DIGEST "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
INSTANTIATE_TEST_SUITE_P(
    ModelRegistry, BrokenManifest,
    testing::Values(
        std::pair("", "not a manifest"), std::pair("[]", "not a manifest"),
        std::pair(R"({"schema":"qingyin.models/9","models":[]})", "schema"),
        std::pair(R"({"schema":"qingyin.models/1"})", "not a manifest"),
        std::pair(R"({"schema":"qingyin.models/1","models":{}})", "not a list"),
        std::pair(R"({"schema":"qingyin.models/1","models":[{"name":"a"}]})", "not a manifest"),
        std::pair(R"({"schema":"qingyin.models/1","models":[{"name":"a","file":"../a.safetensors",)"
                  R"("sha256":")" DIGEST R"(","bytes":1,"licence":"x"}]})",
                  "plain name"),
        std::pair(R"({"schema":"qingyin.models/1","models":[{"name":"a","file":"a.safetensors",)"
                  R"("sha256":"12","bytes":1,"licence":"x"}]})",
                  "sha256"),
        std::pair(R"({"schema":"qingyin.models/1","models":[{"name":"a","file":"a.safetensors",)"
                  R"("sha256":")" DIGEST R"(","bytes":-1,"licence":"x"}]})",
                  "bytes"),
        std::pair(R"({"schema":"qingyin.models/1","models":[)"
                  R"({"name":"a","file":"a.safetensors","sha256":")" DIGEST
                  R"(","bytes":1,"licence":"x"},)"
                  R"({"name":"a","file":"b.safetensors","sha256":")" DIGEST
                  R"(","bytes":1,"licence":"x"}]})",
                  "twice")));
#undef DIGEST

TEST(ModelsFolder, FollowsTheWishThenTheEnvironment) {
  const TemporaryFolder wished, environment, empty;
  write_model_manifest(wished.path(), "x");
  write_model_manifest(environment.path(), "x");
  const Environment variable("QINGYIN_MODELS", environment.path().string());
  EXPECT_EQ(find_models_folder(wished.path()), wished.path());
  EXPECT_EQ(find_models_folder(), environment.path());
  // A folder that somebody named is never replaced by another.
  EXPECT_TRUE(throws_error([&] { find_models_folder(empty.path()); }, ErrorCode::kModelMissing,
                           empty.path().string()));
}

}  // namespace
}  // namespace qingyin::test
