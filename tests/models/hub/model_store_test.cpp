#include "models/hub/model_store.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <string>

#include "tests/models/hub/hub_server.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

bool is_hexadecimal(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == text.npos;
}

TEST(KnownModels, StateWhatTheyAre) {
  std::set<std::string_view> ids;
  for (const KnownModel& model : known_models()) {
    EXPECT_TRUE(ids.insert(model.id).second) << model.id;
    EXPECT_FALSE(licences_of(model).empty()) << model.id;
    std::set<std::string_view> roles;
    double known = 0;  // gigabytes
    for (const KnownFile& file : model.files) {
      EXPECT_TRUE(roles.insert(file.role).second) << model.id << " has two of " << file.role;
      EXPECT_TRUE(file.sha256.empty() || file.sha256.size() == 64) << file.path;
      EXPECT_TRUE(file.md5.empty() || file.md5.size() == 32) << file.path;
      EXPECT_TRUE(is_hexadecimal(file.sha256) && is_hexadecimal(file.md5)) << file.path;
      EXPECT_NO_THROW(check_hub_path(file.path)) << file.path;
      known += static_cast<double>(file.bytes) / 1e9;
    }
    EXPECT_GE(model.gigabytes, known - 0.1) << model.id;
    EXPECT_GT(model.gigabytes, 1) << model.id;
  }
  EXPECT_FALSE(allows_commercial_use(known_model("mmaudio:small_16k")));
  EXPECT_TRUE(allows_commercial_use(known_model("cogvideox:2b")));
  EXPECT_TRUE(
      throws_error([] { known_model("mmaudio:huge"); }, ErrorCode::kUsage, "mmaudio:small_16k"));
}

/// A cache and a user's folder with a model of two small files.
class Store : public testing::Test {
 protected:
  Store() {
    ::setenv("XDG_CACHE_HOME", (folder_ / "cache").c_str(), 1);
    fs::create_directories(folder_ / "mine" / "deep");
    put(folder_ / "mine" / "deep" / "net.pth", net_);
    put(folder_ / "mine" / "vae.pth", vae_);
  }

  KnownFile file(std::string_view role, std::string_view path, const std::string& bytes,
                 const std::string& digest) const {
    return {.role = role,
            .repo = "maker/model",
            .path = path,
            .bytes = bytes.size(),
            .sha256 = digest,
            .md5 = "",
            .licence = "cc-by-nc-4.0"};
  }

  fs::path taken() const { return *store_.cache().find("maker/model", "weights/net.pth"); }

  TemporaryFolder folder_;
  std::string net_ = "the network", vae_ = "the codec";
  std::string net_digest_ = large_digest(net_), vae_digest_ = large_digest(vae_);
  KnownModel model_{"test:model",
                    "",
                    0,
                    {file("net", "weights/net.pth", net_, net_digest_),
                     file("vae", "ext/vae.pth", vae_, vae_digest_)},
                    {}};
  ModelStore store_{HubCache(folder_ / "hub")};
};

TEST_F(Store, TakesAFolderOfTheUsers) {
  EXPECT_TRUE(store_.look(model_).is_absent());
  const auto lines = store_.import_from(folder_ / "mine", model_);
  EXPECT_EQ(lines.size(), 2U);
  EXPECT_TRUE(store_.verify(model_, true).is_complete());
  EXPECT_EQ(content_of(taken()), net_);
  const auto files = store_.files_of(model_);
  EXPECT_EQ(content_of(files.at("vae")), vae_);
}

TEST_F(Store, ListsEveryFileThatIsWanting) {
  put(folder_ / "mine" / "vae.pth", "another codec");
  const auto lines = store_.import_from(folder_ / "mine", model_);
  EXPECT_NE(lines.at(1).find("expected 9"), std::string::npos) << lines.at(1);
  EXPECT_TRUE(throws_error([&] { store_.files_of(model_); }, ErrorCode::kModelMissing,
                           "missing    maker/model/ext/vae.pth"));
  EXPECT_TRUE(throws_error([&] { store_.files_of(model_); }, ErrorCode::kModelMissing,
                           "qingyin models pull test:model"));
  fs::remove_all(folder_ / "mine");
  EXPECT_TRUE(throws_error([&] { store_.import_from(folder_ / "mine", model_); },
                           ErrorCode::kInvalidInput, "is not a folder"));
  fs::create_directory(folder_ / "mine");
  EXPECT_TRUE(throws_error([&] { store_.import_from(folder_ / "mine", model_); },
                           ErrorCode::kInvalidInput, "nothing usable"));
}

TEST_F(Store, LooksIntoAGivenFolderFirst) {
  const auto files = store_.files_of(model_, folder_ / "mine");
  EXPECT_EQ(files.at("net"), folder_ / "mine" / "deep" / "net.pth");
  put(folder_ / "mine" / "vae.pth", "short");
  EXPECT_TRUE(throws_error([&] { store_.files_of(model_, folder_ / "mine"); },
                           ErrorCode::kModelMissing, "(truncated?)"));
}

TEST_F(Store, FindsChangedBytes) {
  store_.import_from(folder_ / "mine", model_);
  EXPECT_TRUE(store_.verify(model_, false).is_complete());
  fs::remove(fs::canonical(taken()));
  put(store_.cache().blob("maker/model", net_digest_), "THE network");
  const ModelState state = store_.verify(model_, false);
  EXPECT_FALSE(state.is_complete());
  EXPECT_NE(state.files[0].problem.find("SHA-256"), std::string::npos) << state.files[0].problem;
  EXPECT_TRUE(state.files[1].problem.empty());
}

TEST_F(Store, RemovesWhatNobodyNeeds) {
  store_.import_from(folder_ / "mine", model_);
  EXPECT_GE(store_.remove(model_), 0U);
  EXPECT_TRUE(store_.look(model_).is_absent());
  EXPECT_FALSE(fs::exists(store_.cache().folder_of("maker/model")));
  EXPECT_TRUE(fs::exists(folder_ / "mine" / "vae.pth"));
}

TEST_F(Store, AsksForTheLicenceOnce) {
  const fs::path book_file = folder_ / "licences.json";
  LicenceBook book(book_file);
  EXPECT_TRUE(throws_error([&] { book.require_accepted(model_); }, ErrorCode::kModelMissing,
                           "--accept-licence"));
  book.accept(licence("cc-by-nc-4.0"));
  EXPECT_NO_THROW(book.require_accepted(model_));
  EXPECT_NO_THROW(LicenceBook(book_file).require_accepted(model_));
  put(book_file, "[]");
  EXPECT_TRUE(
      throws_error([&] { LicenceBook again(book_file); }, ErrorCode::kBadCheckpoint, "remove it"));
}

}  // namespace
}  // namespace qingyin::test
