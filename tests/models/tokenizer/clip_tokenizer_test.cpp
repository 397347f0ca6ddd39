#include "models/tokenizer/clip_tokenizer.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/models/tokenizer/small_vocabulary.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

using Ids = std::vector<std::int32_t>;

// Ids: printed ASCII from "!" = 0; + 256 at the end of a word; merges from 512 on.
constexpr std::int32_t kA = 'a' - '!', kB = 'b' - '!', kWordEnd = 256, kFirstMerge = 512;

std::string gzipped(const std::string& text) {
  const TemporaryFolder folder;
  const std::string path = (folder / "packed").string();
  const gzFile out = gzopen(path.c_str(), "wb");
  gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
  gzclose(out);
  return content_of(path);
}

class ClipTokenizerTest : public testing::Test {
 protected:
  ClipTokenizer tokenizer(const std::string& bytes) const {
    return ClipTokenizer(folder_.write("vocabulary", bytes));
  }
  bool refuses(const std::string& bytes, const std::string& words) const {
    return static_cast<bool>(
        throws_error([&] { tokenizer(bytes); }, ErrorCode::kBadCheckpoint, words));
  }
  const TemporaryFolder folder_;
  const std::vector<std::string> merges_ = merges_with({"a b", "ab ab", "b b</w>", "a b</w>"});
};

TEST_F(ClipTokenizerTest, JoinsEarlierMergesFirst) {
  const ClipTokenizer t = tokenizer(merges_text(merges_));
  EXPECT_EQ(t.ids_of("a"), (Ids{kA + kWordEnd}));
  EXPECT_EQ(t.ids_of("ab"), (Ids{kFirstMerge + 3}));
  EXPECT_EQ(t.ids_of("abb"), (Ids{kFirstMerge, kB + kWordEnd}));
  EXPECT_EQ(t.ids_of("ababa"), (Ids{kFirstMerge + 1, kA + kWordEnd}));
  EXPECT_EQ(t.ids_of("bbb"), (Ids{kB, kFirstMerge + 2}));
}

TEST_F(ClipTokenizerTest, SplitsLettersDigitsSignsAndContractions) {
  const ClipTokenizer t = tokenizer(merges_text(merges_));
  const auto count = [&](const char* text) { return t.ids_of(text).size(); };
  EXPECT_EQ(t.ids_of("a1"), (Ids{kA + kWordEnd, '1' - '!' + kWordEnd}));
  EXPECT_EQ(t.ids_of("11").size(), 2U);
  EXPECT_EQ(t.ids_of("a's"), (Ids{kA + kWordEnd, '\'' - '!', 's' - '!' + kWordEnd}));
  EXPECT_EQ(count("<start_of_text>"), 1U);
  EXPECT_EQ(t.ids_of("<end_of_text>"), (Ids{ClipTokenizer::kEnd}));
}

TEST_F(ClipTokenizerTest, PadsAndForcesTheEnd) {
  const ClipTokenizer t = tokenizer(merges_text(merges_));
  const Ids empty = t("");
  ASSERT_EQ(empty.size(), ClipTokenizer::kContext);
  EXPECT_EQ(empty[0], ClipTokenizer::kStart);
  EXPECT_EQ(empty[1], ClipTokenizer::kEnd);
  EXPECT_EQ(empty[2], ClipTokenizer::kPadding);
  std::string text;
  for (int i = 0; i < 200; ++i) text += "a ";
  const Ids full = t(text);
  ASSERT_EQ(full.size(), ClipTokenizer::kContext);
  EXPECT_EQ(full[75], kA + kWordEnd);
  EXPECT_EQ(full[76], ClipTokenizer::kEnd);
}

TEST_F(ClipTokenizerTest, ReadsEveryForm) {
  const std::string text = merges_text(merges_);
  const Ids expected = tokenizer(text)("abab 1's!");
  EXPECT_EQ(tokenizer(gzipped(text))("abab 1's!"), expected);
  nlohmann::json strings, pairs;
  strings["model"]["merges"] = merges_;
  for (const std::string& merge : merges_) {
    const std::size_t blank = merge.find(' ');
    pairs["model"]["merges"].push_back({merge.substr(0, blank), merge.substr(blank + 1)});
  }
  EXPECT_EQ(tokenizer(strings.dump())("abab 1's!"), expected);
  EXPECT_EQ(tokenizer(pairs.dump())("abab 1's!"), expected);
}

TEST_F(ClipTokenizerTest, RefusesBadFiles) {
  EXPECT_TRUE(
      throws_error([&] { ClipTokenizer(folder_ / "absent"); }, ErrorCode::kModelMissing, "absent"));
  EXPECT_TRUE(refuses("", "empty"));
  EXPECT_TRUE(refuses("#version: 0.2\na b\n", "holds 1 merges"));
  EXPECT_TRUE(refuses("#version: 0.2\na b c\n", "line 2"));
  EXPECT_TRUE(refuses("{\"model\": {}}", "merges"));
  EXPECT_TRUE(refuses("{\"model\": {\"merges\": [\"ab\"]}}", "merge 1"));
  EXPECT_TRUE(refuses("{\"model\": {\"merges\": [1]}}", "no tokenizer.json"));
  EXPECT_TRUE(refuses("{", "no tokenizer.json"));
  auto unmade = merges_;
  unmade[0] = "abc b";
  EXPECT_TRUE(refuses(merges_text(unmade), "no merge before it makes"));
  std::string packed = gzipped(merges_text(merges_));
  EXPECT_TRUE(refuses(packed.substr(0, packed.size() / 2), "gzip data is damaged"));
  packed[packed.size() / 2] = static_cast<char>(~packed[packed.size() / 2]);
  EXPECT_TRUE(refuses(packed, "gzip data is damaged"));
  EXPECT_TRUE(refuses(gzipped(std::string(std::size_t{40} << 20, 'a')), "unpacks to more"));
  EXPECT_TRUE(refuses(std::string(std::size_t{17} << 20, 'a'), "17825792 bytes"));
}

TEST_F(ClipTokenizerTest, RefusesBadPrompts) {
  const ClipTokenizer t = tokenizer(merges_text(merges_));
  EXPECT_TRUE(throws_error([&] { t("a\xFF"); }, ErrorCode::kInvalidInput, "not UTF-8"));
  EXPECT_TRUE(
      throws_error([&] { t(std::string(20'000, 'a')); }, ErrorCode::kInvalidInput, "20000 bytes"));
}

}  // namespace
}  // namespace qingyin::test
