#include "core/text.h"

#include <gtest/gtest.h>

#include <string>

namespace qingyin {
namespace {

using namespace std::string_literals;

TEST(Utf8, AcceptsWellFormedText) {
  for (const std::string& text : {""s, "plain"s, "清音"s, "\x7F"s, "\xF0\x9F\x94\x8A"s, "\0x"s,
                                  "\xEF\xBF\xBF"s, "\xF4\x8F\xBF\xBF"s, "\xED\x9F\xBF"s}) {
    EXPECT_TRUE(is_utf8(text)) << excerpt(text);
  }
}

TEST(Utf8, FindsWhatIsNot) {
  for (const std::string& bad :
       {"\x80"s, "\xC0\x80"s, "\xC1\xBF"s, "\xC3"s, "\xE0\x80\x80"s, "\xED\xA0\x80"s, "\xE6\xB8"s,
        "\xF0\x80\x80\x80"s, "\xF4\x90\x80\x80"s, "\xF5\x80\x80\x80"s, "\xFF"s, "\xE6\xB8z"s}) {
    EXPECT_EQ(find_bad_utf8("ok" + bad), 2U) << excerpt(bad);
  }
}

TEST(Excerpt, EscapesWhatCouldHurtATerminal) {
  EXPECT_EQ(excerpt("a\x1b[31m\n\t\"\\\x7f"), R"("a\x1b[31m\n\t\"\\\x7f")");
  EXPECT_EQ(excerpt("\xff清"), "\"\\xff清\"");
  EXPECT_EQ(excerpt("\xC2\x9B"), R"("\xc2\x9b")");          // C1 control
  EXPECT_EQ(excerpt("\xE2\x80\xAE"), R"("\xe2\x80\xae")");  // right-to-left override
}

TEST(Excerpt, ShortensLongText) {
  EXPECT_EQ(excerpt(std::string(100, 'x'), 10), "\"xxxxxxxxxx...\"");
  EXPECT_LT(excerpt(std::string(1000000, '\x01')).size(), 60U);
}

TEST(Printable, KeepsAPathWhole) {
  EXPECT_EQ(printable("/a b/清.mp4"), "/a b/清.mp4");
  EXPECT_EQ(printable("evil\n\x1b.mp4"), "evil\\n\\x1b.mp4");
}

}  // namespace
}  // namespace qingyin
