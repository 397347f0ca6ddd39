#include "core/json_text.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "tests/core/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

using namespace std::string_literals;

std::string refusal(const std::string& text) {
  return expect_error(ErrorCode::kInvalidInput, [&] { JsonText(text, "x.json"); });
}

TEST(JsonText, ShowsValuesAndTheirSpelling) {
  const JsonText text(R"( {"a": [1.50, -0, 1e3, null, true], "b\u0041": "\u00e9\n\ud83d\ude00"} )",
                      "x");
  const JsonValue root = text.root();
  ASSERT_TRUE(root.is(JsonKind::kObject));
  ASSERT_EQ(root.members().size(), 2U);
  EXPECT_EQ(root.members()[1].key.as_string(), "bA");
  const auto items = root.find("a")->items();
  ASSERT_EQ(items.size(), 5U);
  EXPECT_EQ(items[0].spelling(), "1.50");
  EXPECT_EQ(items[0].as_double(), 1.5);
  EXPECT_EQ(items[1].as_signed(), 0);
  EXPECT_EQ(items[2].as_double(), 1000.0);
  EXPECT_FALSE(items[2].as_unsigned().has_value());
  EXPECT_TRUE(items[3].is(JsonKind::kNull));
  EXPECT_TRUE(items[4].as_bool());
  EXPECT_EQ(root.find("bA")->as_string(), "é\n😀");
  EXPECT_TRUE(root.find("bA")->equals("é\n😀"));
  EXPECT_FALSE(root.find("c").has_value());
}

TEST(JsonText, KeepsNumbersExact) {
  const JsonText text(
      "[18446744073709551615, 18446744073709551616, -9223372036854775808, 1e400, 0.1]", "x");
  const auto items = text.root().items();
  EXPECT_EQ(items[0].as_unsigned(), 18446744073709551615ULL);
  EXPECT_FALSE(items[1].as_unsigned().has_value());
  EXPECT_EQ(items[2].as_signed(), INT64_MIN);
  EXPECT_FALSE(items[2].as_unsigned().has_value());
  EXPECT_FALSE(items[3].as_double().has_value());
  EXPECT_EQ(items[4].as_double(), 0.1);
}

TEST(JsonText, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(refusal("{\n  \"a\": 01}"), "x.json: line 2, column 8: a number may not start with 0");
  EXPECT_EQ(refusal("[1 2]"), "x.json: line 1, column 4: expected ',' or ']', found \"2]\"");
  EXPECT_EQ(refusal("{\"a\":1"),
            "x.json: line 1, column 7: expected ',' or '}', found the end of the text");
  EXPECT_EQ(refusal("[1]\n\x1b[31m"),
            "x.json: line 2, column 1: expected the end of the text, found \"\\x1b[31m\"");
  EXPECT_CONTAINS(refusal("[\"\\ud800\"]"), "half a surrogate pair");
  EXPECT_CONTAINS(refusal("[\"\\udc00\"]"), "half a surrogate pair");
  EXPECT_CONTAINS(refusal("[\"\\ud800\\u0041\"]"), "half a surrogate pair");
  EXPECT_CONTAINS(refusal("[\"\xff\"]"), "column 3: is not UTF-8");
  EXPECT_CONTAINS(refusal("\xFF\xFE{\0}\0"s), "is not UTF-8");
  EXPECT_CONTAINS(refusal("[\"a"), "this string has no end");
  EXPECT_CONTAINS(refusal("[\"\\u12\"]"), "four hexadecimal digits");
  EXPECT_CONTAINS(refusal("{a:1}"), "a key in double quotes");
  EXPECT_CONTAINS(refusal(""), "expected a value, found the end");
  EXPECT_CONTAINS(refusal("[1]\0"s), "expected the end of the text");
}

TEST(JsonText, AllowsAByteOrderMark) {
  EXPECT_EQ(JsonText("\xEF\xBB\xBF[1]", "x").root().items().size(), 1U);
}

TEST(JsonText, EndsDeepNestingAtOnce) {
  const std::clock_t begin = std::clock();  // of this process: others may be busy
  for (const std::string& brick : {"["s, "{\"a\":"s, "[{\"\":"s}) {
    std::string tower;
    for (int i = 0; i < 1000000; ++i) tower += brick;
    EXPECT_CONTAINS(refusal(tower), "nested deeper than 32 levels");
  }
  EXPECT_LT(std::clock() - begin, 2 * CLOCKS_PER_SEC);
  const std::string deepest = std::string(32, '[') + std::string(32, ']');
  EXPECT_NO_THROW(JsonText(deepest, "x"));
  EXPECT_CONTAINS(refusal("[" + deepest + "]"), "nested deeper");
}

TEST(JsonText, RefusesLongTextUnread) {
  const std::string big(100'000'000, '[');
  const std::clock_t begin = std::clock();
  EXPECT_CONTAINS(refusal(big), "100000000 bytes; at most 16777216 are read");
  EXPECT_LT(std::clock() - begin, CLOCKS_PER_SEC);
}

TEST(JsonText, NumbersAndStringsReadBackTheSame) {
  for (const double value : {0.0, -0.0, 0.1, 1.0 / 3, 8.041, 1e-5, 1e300, 5e-324, 123456789.0}) {
    const JsonText text(json_number(value), "x");
    EXPECT_EQ(text.root().as_double(), value) << text.text();
    EXPECT_NE(text.text().find_first_of(".e"), std::string_view::npos);
  }
  EXPECT_EQ(json_number(0), "0.0");
  EXPECT_EQ(json_number(8.041), "8.041");
  for (const std::string& value : {""s, "a\"\\\n\t\r\x01/"s, "清\0音"s, "\x7f"s}) {
    EXPECT_EQ(JsonText(json_quoted(value), "x").root().as_string(), value);
  }
}

// nst/JSONTestSuite: y_ must be read, n_ must be refused, i_ must only not crash.
TEST(JsonText, AgreesWithTheJsonTestSuite) {
  const char* shared = std::getenv("QINGYIN_SHARED");
  const std::filesystem::path root =
      shared != nullptr ? shared : std::filesystem::path(QINGYIN_SOURCE_DIR) / "../shared";
  const auto folder = root / "checkpoints/third_party/jsontestsuite/test_parsing";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << "no JSONTestSuite at " << folder;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().native();
    bool is_read = true;
    try {
      const JsonText text(content_of(entry.path()), name);
    } catch (const Error& error) {
      is_read = false;
      EXPECT_EQ(error.code(), ErrorCode::kInvalidInput) << name;
    }
    if (name.starts_with("y_") || name.starts_with("n_")) {
      EXPECT_EQ(is_read, name.starts_with("y_")) << name;
    }
    ++count;
  }
  EXPECT_GT(count, 300);
}

}  // namespace
}  // namespace qingyin::test
