#include "models/tokenizer/text_cleaning.h"

#include <gtest/gtest.h>

#include <string>

namespace qingyin::test {
namespace {

struct Pair {
  const char *text, *cleaned;
};

void expect_cleaned(std::initializer_list<Pair> pairs) {
  for (const auto& [text, cleaned] : pairs) EXPECT_EQ(cleaned_prompt(text), cleaned) << text;
}

// The repaired texts are what ftfy's documentation and its rules give for them.
TEST(TextCleaning, RepairsMisreadEncodings) {
  expect_cleaned({
      {"schÃ¶n", "schön"},
      {"âœ” No problems", "✔ no problems"},
      {"This â€” should be an em dash", "this — should be an em dash"},
      {"l&rsquo;humanitÃ©", "l'humanité"},
      {"Ã la mode", "à la mode"},  // the no-break space became a blank
      {"pÃ¢te Ã\xC2\xA0 choux", "pâte à choux"},
      {"ÐŸÑ€Ð¸Ð²ÐµÑ‚", "привет"},                          // Windows-1252
      {"РџСЂРёРІРµС‚", "привет"},                          // Windows-1251
      {"√©t√©", "été"},                                    // Mac Roman
      {"voil\xC3\x83\xC6\x92\xC3\x82\xC2\xA0 ", "voilà"},  // twice
      {"海 schÃ¶n", "海 schön"},                           // only in places
      {"nel\xC2\x85x", "nel…x"},
  });
}

TEST(TextCleaning, LeavesWhatIsMeant) {
  expect_cleaned({
      {"not such a fan of Charlotte Brontë…", "not such a fan of charlotte brontë…"},
      {"AHÅ™, the new sofa from IKEA®", "ahå™, the new sofa from ikea®"},
      {"This text is fine already :þ", "this text is fine already :þ"},
      {"Её", "её"},
      {"ÀÉÎ and 10°C", "àéî and 10°c"},
      {"a√b ≈ 2", "a√b ≈ 2"},
  });
}

TEST(TextCleaning, ReadsCharacterReferences) {
  expect_cleaned({
      {"&amp;amp; twice", "& twice"},
      {"&NTILDE;o &SZLIG;", "ño ss"},
      {"&notit; &not it", "¬it; ¬ it"},
      {"&#xD800; &#1114112;", "� �"},
      {"a&#1;b", "ab"},
      {"&#150;", "–"},
      {"&unknown; &; &#; &#x;", "&unknown; &; &#; &#x;"},
      {"&NotEqualTilde;", "≂̸"},
  });
}

TEST(TextCleaning, UnifiesForms) {
  expect_cleaned({
      {"Ｈｅｌｌｏ　ﬁre “x” ‘y’", "hello fire \"x\" 'y'"},
      {"cafe\xCC\x81", "café"},
      {"a\r\nb\rc\xE2\x80\xA8"
       "d",
       "a b c d"},
      {"\x1B[31;1mred\x1B[0m \x07 \xEF\xBB\xBF!", "red !"},
      {" \t a \xC2\xA0\xE3\x80\x80 b ", "a b"},
  });
}

TEST(TextCleaning, LowersAsUnicodeDoes) {
  expect_cleaned({
      {"İstanbul", "i̇stanbul"},
      {"ΟΔΟΣ ΣΟΦΙΑΣ. Σ", "οδος σοφιας. σ"},
      {"ΑΣ'Σ", "ασ'ς"},
      {"ẞ Ⅷ Ǆ", "ß ⅷ dž"},
  });
}

}  // namespace
}  // namespace qingyin::test
