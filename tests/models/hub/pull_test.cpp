#include "models/hub/pull.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "models/hub/model_store.h"
#include "tests/models/hub/hub_server.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

namespace fs = std::filesystem;

constexpr char kRepo[] = "maker/model";

std::string some_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>((i * 2654435761U) >> 13U);
  return bytes;
}

class Pull : public testing::Test {
 protected:
  /// A model with one large file of these bytes.
  KnownModel model_of(const std::string& bytes) {
    digest_ = large_digest(bytes);
    return {"test:model",
            "",
            0,
            {{.role = "net",
              .repo = kRepo,
              .path = "weights/net.pth",
              .bytes = bytes.size(),
              .sha256 = digest_,
              .md5 = "",
              .licence = "mit"}},
            {}};
  }

  PullSettings settings() const {
    PullSettings settings;
    settings.endpoint = server_.endpoint();
    settings.first_wait_s = 0.01;
    settings.stall_s = 5;
    settings.token = token_;
    return settings;
  }

  fs::path blobs() const { return cache_.folder_of(kRepo) / "blobs"; }

  TemporaryFolder folder_;
  HubServer server_;
  HubCache cache_{folder_ / "hub"};
  std::string token_, digest_;
};

TEST_F(Pull, KeepsTheLayoutOfTheHubsOwnTools) {
  const std::string bytes = some_bytes(200000);
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes});
  const KnownModel model = model_of(bytes);
  EXPECT_EQ(pull(model, cache_, settings()), std::vector<std::string>{"weights/net.pth"});

  const fs::path link = folder_ / "hub" / "models--maker--model" / "snapshots" / server_.commit /
                        "weights" / "net.pth";
  EXPECT_EQ(fs::read_symlink(link), "../../../blobs/" + digest_);
  EXPECT_EQ(content_of(link), bytes);
  EXPECT_EQ(content_of(folder_ / "hub" / "models--maker--model" / "refs" / "main"), server_.commit);
  EXPECT_TRUE(fs::exists(folder_ / "hub" / "CACHEDIR.TAG"));
  EXPECT_TRUE(ModelStore(cache_).look(model).is_complete());
}

TEST_F(Pull, FetchesNothingThatIsThere) {
  const std::string bytes = some_bytes(1000);
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes});
  const KnownModel model = model_of(bytes);
  pull(model, cache_, settings());
  const auto before = server_.requests("GET", "/").size();
  EXPECT_TRUE(pull(model, cache_, settings()).empty());
  EXPECT_EQ(server_.requests("GET", "/").size(), before);
}

TEST_F(Pull, GoesOnAfterDroppedConnections) {
  const std::string bytes = some_bytes(100000);
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes});
  server_.drops = 3;
  server_.drop_at = 30000;
  pull(model_of(bytes), cache_, settings());
  EXPECT_EQ(content_of(blobs() / digest_), bytes);
  const auto gets = server_.requests("GET", "/store/");
  ASSERT_EQ(gets.size(), 4U);
  EXPECT_EQ(gets[1].range, "bytes=30000-");
  EXPECT_EQ(gets[3].range, "bytes=90000-");
}

TEST_F(Pull, StartsAgainWhereRangesAreIgnored) {
  const std::string bytes = some_bytes(100000);
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes});
  server_.drops = 1;
  server_.drop_at = 60000;
  server_.ignores_ranges = true;
  pull(model_of(bytes), cache_, settings());
  EXPECT_EQ(content_of(blobs() / digest_), bytes);
}

TEST_F(Pull, GivesUpAfterManyDropsWithoutProgress) {
  const std::string bytes = some_bytes(1000);
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes});
  server_.drops = 1000;
  EXPECT_TRUE(throws_error([&] { pull(model_of(bytes), cache_, settings()); },
                           ErrorCode::kModelMissing, "dropped"));
}

TEST_F(Pull, WaitsForAHubThatIsBusy) {
  const std::string bytes = some_bytes(1000);
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes, .is_large = false});
  KnownModel model = model_of(bytes);
  model.files[0].sha256 = {};
  server_.failures = 2;
  EXPECT_NO_THROW(pull(model, cache_, settings()));
  EXPECT_TRUE(fs::exists(blobs() / small_digest(bytes)));
}

TEST_F(Pull, RefusesOtherBytesAndKeepsNoneOfThem) {
  const std::string bytes = some_bytes(5000);
  std::string other = bytes;
  other[4000] ^= 1;
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes, .sent = other});
  EXPECT_TRUE(throws_error([&] { pull(model_of(bytes), cache_, settings()); },
                           ErrorCode::kBadCheckpoint, "came with the digest"));
  EXPECT_TRUE(fs::is_empty(blobs()));
  EXPECT_TRUE(ModelStore(cache_).look(model_of(bytes)).is_absent());
}

TEST_F(Pull, RefusesAnotherFileBeforeFetchingIt) {
  server_.add(kRepo, "weights/net.pth", {.bytes = some_bytes(5000) + "x"});
  EXPECT_TRUE(throws_error([&] { pull(model_of(some_bytes(5001)), cache_, settings()); },
                           ErrorCode::kBadCheckpoint, "another file than this version knows"));
  EXPECT_TRUE(server_.requests("GET", "/").empty());
}

TEST_F(Pull, ChecksTheMd5OfTheTable) {
  const std::string bytes = some_bytes(100);
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes});
  KnownModel model = model_of(bytes);
  model.files[0].sha256 = {};
  model.files[0].md5 = "00000000000000000000000000000000";
  EXPECT_TRUE(throws_error([&] { pull(model, cache_, settings()); }, ErrorCode::kBadCheckpoint,
                           "has the MD5"));
  EXPECT_TRUE(fs::is_empty(blobs()));
}

TEST_F(Pull, SaysThatATokenIsWanted) {
  const std::string bytes = some_bytes(100);
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes});
  server_.token = "secret";
  EXPECT_TRUE(throws_error([&] { pull(model_of(bytes), cache_, settings()); },
                           ErrorCode::kModelMissing, "HF_TOKEN"));
}

TEST_F(Pull, GivesTheTokenToTheHubOnly) {
  const std::string bytes = some_bytes(100);
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes});
  server_.token = token_ = "secret";
  pull(model_of(bytes), cache_, settings());
  for (const auto& request : server_.requests()) {
    const bool is_store = request.path.starts_with("/store/");
    EXPECT_EQ(request.authorization, is_store ? "" : "Bearer secret") << request.path;
  }
  EXPECT_FALSE(server_.requests("GET", "/store/").empty());
}

TEST_F(Pull, SaysWhatIsNotThere) {
  EXPECT_TRUE(throws_error([&] { pull(model_of("x"), cache_, settings()); },
                           ErrorCode::kModelMissing, "is not on the hub"));
  PullSettings nowhere = settings();
  nowhere.endpoint = "http://127.0.0.1:1";
  nowhere.tries = 2;
  EXPECT_TRUE(throws_error([&] { pull(model_of("x"), cache_, nowhere); }, ErrorCode::kModelMissing,
                           "check the network"));
}

TEST_F(Pull, AsksNobodyWhenOffline) {
  const std::string bytes = some_bytes(100);
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes});
  PullSettings offline = settings();
  offline.is_offline = true;
  EXPECT_TRUE(throws_error([&] { pull(model_of(bytes), cache_, offline); },
                           ErrorCode::kModelMissing, "the network is off"));
  EXPECT_TRUE(server_.requests().empty());
  pull(model_of(bytes), cache_, settings());
  EXPECT_NO_THROW(pull(model_of(bytes), cache_, offline));
}

TEST_F(Pull, StopsAtOnceAndGoesOnLater) {
  const std::string bytes = some_bytes(4000000);
  server_.add(kRepo, "weights/net.pth", {.bytes = bytes});
  const KnownModel model = model_of(bytes);
  const auto stop_early = [](const PullProgress& now) { return now.done_bytes < 100000; };
  EXPECT_TRUE(throws_error([&] { pull(model, cache_, settings(), stop_early); },
                           ErrorCode::kCancelled, "goes on"));
  const auto have = fs::file_size(blobs() / (digest_ + ".incomplete"));
  EXPECT_GE(have, 100000U);
  pull(model, cache_, settings());
  EXPECT_EQ(content_of(blobs() / digest_), bytes);
  EXPECT_EQ(server_.requests("GET", "/store/").back().range, "bytes=" + std::to_string(have) + "-");
}

TEST_F(Pull, FetchesTheWantedPartsOfAFolder) {
  server_.add(kRepo, "model_index.json", {.bytes = "{}", .is_large = false});
  server_.add(kRepo, "vae/model.safetensors", {.bytes = some_bytes(3000)});
  server_.add(kRepo, "README.md", {.bytes = "no", .is_large = false});
  const KnownModel model{
      "test:folder",
      "",
      0,
      {},
      {{.repo = kRepo, .prefixes = {"model_index.json", "vae/"}, .licence = "mit"}}};
  EXPECT_EQ(pull(model, cache_, settings()).size(), 2U);
  const fs::path folder = ModelStore(cache_).folder_of(model);
  EXPECT_EQ(content_of(folder / "model_index.json"), "{}");
  EXPECT_EQ(content_of(folder / "vae" / "model.safetensors"), some_bytes(3000));
  EXPECT_FALSE(fs::exists(folder / "README.md"));
}

TEST_F(Pull, WritesNowhereElse) {
  server_.add(kRepo, "vae/../../../../evil", {.bytes = "x", .is_large = false});
  const KnownModel model{
      "test:folder", "", 0, {}, {{.repo = kRepo, .prefixes = {"vae/"}, .licence = "mit"}}};
  EXPECT_TRUE(throws_error([&] { pull(model, cache_, settings()); }, ErrorCode::kBadCheckpoint,
                           "expected a plain path"));
  EXPECT_FALSE(fs::exists(folder_ / "evil"));
}

}  // namespace
}  // namespace qingyin::test
