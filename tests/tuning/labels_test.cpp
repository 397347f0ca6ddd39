#include "tuning/labels.h"

#include <gtest/gtest.h>

#include "tests/core/expect_error.h"

namespace qingyin::tuning {
namespace {

TEST(UcsName, TakesTheSchemeApart) {
  const auto name = parse_ucs_name("lib/DOORWood_Creaky Cupboard Close_JDS_KITCHEN_01.wav");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->cat_id, "DOORWood");
  EXPECT_EQ(name->fx_name, "Creaky Cupboard Close");
  EXPECT_EQ(name->sound_class, "door");
  EXPECT_EQ(name->material, "wood");
}

TEST(UcsName, KnowsOwnCategoriesAndShortIds) {
  EXPECT_EQ(parse_ucs_name("GLASBrk-BOTTLES_Bottle Smash_ABC_LIB.flac")->sound_class, "break");
  EXPECT_EQ(parse_ucs_name("RAIN_Roof_ABC_LIB.wav")->sound_class, "rain");
  EXPECT_EQ(parse_ucs_name("FEETHmn_Gravel Walk_ABC_LIB.wav")->sound_class, "footstep");
}

TEST(UcsName, GivesNoClassForWhatWeHaveNone) {
  const auto name = parse_ucs_name("MUSCSong_Lullaby_ABC_LIB.wav");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->cat_id, "MUSCSong");
  EXPECT_EQ(name->sound_class, "");
  // Ids count letter by letter.
  EXPECT_EQ(parse_ucs_name("DOORwood_Close_ABC_LIB.wav")->sound_class, "");
  EXPECT_EQ(parse_ucs_name("WOOD_Knock_ABC_LIB.wav")->sound_class, "");
}

TEST(UcsName, RefusesOtherNames) {
  for (const char* name : {"kick.wav", "DOORWood_Close_ABC.wav", "door_wood_close_02_x.wav",
                           "DOORWood__ABC_LIB.wav", "_A_B_C.wav", "D2ORWood_A_B_C.wav", ""}) {
    EXPECT_FALSE(parse_ucs_name(name)) << name;
  }
}

TEST(LabelTable, ReadsQuotesColumnsInAnyOrderAndLineEnds) {
  const auto table = read_label_table(
      "\xEF\xBB\xBF"
      "class, file ,size,caption,onset\r\n"
      "Squeak,\"a, b.wav\",0.25,\"says \"\"eek\"\"\",\r\n"
      "\r\n"
      "impact,sub/c.wav,,,1.5\r\n"
      "impact,sub/c.wav,,,2.5",
      "labels.csv");
  EXPECT_TRUE(table.faults.empty());
  ASSERT_EQ(table.rows.size(), 2U);
  const Label& first = table.rows.at("a, b.wav").at(0);
  EXPECT_EQ(first.sound_class, "squeak");
  EXPECT_EQ(first.caption, "says \"eek\"");
  EXPECT_EQ(first.size, 0.25);
  EXPECT_FALSE(first.onset_s);
  ASSERT_EQ(table.rows.at("sub/c.wav").size(), 2U);
  EXPECT_EQ(table.rows.at("sub/c.wav")[1].onset_s, 2.5);
  EXPECT_EQ(table.rows.at("sub/c.wav")[1].where, "labels.csv, line 5");
}

TEST(LabelTable, NamesTheLineOfEveryFaultAndKeepsTheRest) {
  const auto table = read_label_table(
      "file,class,size,material,shape,onset\n"
      "a.wav,impact,2,,,\n"
      "b.wav,impact,nan,,,\n"
      "c.wav,impact,,cheese,,\n"
      ",impact,,,,\n"
      "e.wav,,,,,\n"
      "\"two\nlines.wav\",impact,x,,,\n"
      "g.wav,impact,,,wobble,\n"
      "h.wav,impact,,,,-1\n"
      "i.wav,impact,0.5,wood,one-shot,0\n",
      "my.csv");
  ASSERT_EQ(table.faults.size(), 8U);
  EXPECT_CONTAINS(table.faults[0], "my.csv, line 2: size");
  EXPECT_CONTAINS(table.faults[1], "my.csv, line 3: size");
  EXPECT_CONTAINS(table.faults[2], "my.csv, line 4: material is \"cheese\"");
  EXPECT_CONTAINS(table.faults[3], "my.csv, line 5: it names no file");
  EXPECT_CONTAINS(table.faults[4], "my.csv, line 6: it names no class");
  EXPECT_CONTAINS(table.faults[5], "my.csv, line 7: size");
  EXPECT_CONTAINS(table.faults[6], "my.csv, line 9: shape");
  EXPECT_CONTAINS(table.faults[7], "my.csv, line 10: onset");
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows.at("i.wav").at(0).shape, "one_shot");
}

TEST(LabelTable, NeedsItsColumnsAndUtf8) {
  for (const char* text : {"", "file\na.wav\n", "name,class\na,b\n"}) {
    const auto message =
        expect_error(ErrorCode::kInvalidInput, [&] { read_label_table(text, "x.csv"); });
    EXPECT_CONTAINS(message, "x.csv");
    EXPECT_CONTAINS(message, "file and class");
  }
  EXPECT_CONTAINS(expect_error(ErrorCode::kInvalidInput,
                               [] { read_label_table("file,class\n\xff,a\n", "x.csv"); }),
                  "UTF-8");
}

}  // namespace
}  // namespace qingyin::tuning
