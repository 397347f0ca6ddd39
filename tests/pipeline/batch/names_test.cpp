#include <gtest/gtest.h>

#include "pipeline/batch/name_form.h"
#include "pipeline/batch/name_template.h"
#include "pipeline/batch/plan.h"
#include "tests/support/expect_error.h"

namespace qingyin::batch {
namespace {

using test::throws_error;

Item item(const std::string& input, const std::string& folder = "") {
  return {.input = input, .folder = folder};
}

std::string slot(const std::string& names, const Item& of, std::size_t index = 7) {
  return NameTemplate(names).slot(of, index).string();
}

TEST(NameTemplate, FillsItsFields) {
  Item one = item("in/day/take 1.mov", "day");
  one.options.sound.seed = 5;
  EXPECT_EQ(slot("{folder}/{name}.sound.{ext}", one), "day/take 1.sound");
  EXPECT_EQ(slot("{parent}-{index}_{seed}.{ext}", one), "day-0007_5");
  EXPECT_EQ(slot("{folder}/{name}.sound.{ext}", item("a.mp4")), "a.sound");
  EXPECT_EQ(NameTemplate("{name}.wav").extension(), ".wav");
  EXPECT_EQ(NameTemplate("{name}.{ext}").extension(), "");
}

TEST(NameTemplate, StaysInTheFolderWhateverTheInputIsCalled) {
  EXPECT_EQ(slot("{parent}/{name}.{ext}", item("../x.mp4")), "x");
  EXPECT_EQ(slot("{folder}/{name}.{ext}", item("/x.mp4", "../../etc")), "etc/x");
  EXPECT_EQ(slot("{name}.{ext}", item("in/%03d concat:x.mp4")), "%03d concat:x");
  EXPECT_TRUE(
      throws_error([] { slot("{parent}.{ext}", item("x.mp4")); }, ErrorCode::kUsage, "no name"));
}

TEST(NameTemplate, ShortensLongNamesAndKeepsThemApart) {
  const std::string base(250, 'x');
  const auto a = slot("{name}.sound.{ext}", item(base + "a.mp4"));
  const auto b = slot("{name}.sound.{ext}", item(base + "b.mp4"));
  EXPECT_LE(a.size() + std::string(".report.json").size(), 255U);
  EXPECT_NE(a, b);
  std::string wide;
  for (int i = 0; i < 80; ++i) wide += "清";
  const auto cut = slot("{name}.{ext}", item(wide + ".mp4"));
  EXPECT_EQ(cut.find("清~") == std::string::npos, false) << "cut between characters: " << cut;
}

TEST(NameTemplate, RefusesWhatItCannotFill) {
  for (const char* bad : {"{name}", "{nome}.{ext}", "{name.{ext}", "a}b.{ext}", "../{name}.{ext}",
                          "/{name}.{ext}", ".{ext}", "{name}.mp4", ""}) {
    EXPECT_TRUE(throws_error([&] { NameTemplate{bad}; }, ErrorCode::kUsage, "name template"))
        << bad;
  }
}

TEST(NameTemplate, ComposesWhatWasWrittenInPieces) {
  EXPECT_EQ(slot("{name}.{ext}", item("in/caf\x65\xCC\x81.mp4")), "caf\xC3\xA9");
  const std::string bad = "bad\xFF\xCC\x81";
  EXPECT_EQ(slot("{name}.{ext}", item("in/" + bad + ".mp4")), bad) << "no UTF-8: left as it is";
}

TEST(NameForm, FoldsCaseOnlyWhereItIsIgnored) {
  EXPECT_EQ(name_key("Stra\xC3\x9F"
                     "e",
                     true),
            name_key("STRASSE", true));
  EXPECT_NE(name_key("a", false), name_key("A", false));
  EXPECT_EQ(name_key("e\xCC\x81", false), name_key("\xC3\xA9", false));
  EXPECT_FALSE(ignores_case("/proc/self/no/such/folder"));
}

// Both show as "cafe" with an accent; many file systems take them for one name.
TEST(Plan, NamesThatDifferInNormalFormCollide) {
  Item wanted = item("a.mp4"), other = item("b.mp4");
  wanted.output = "caf\xC3\xA9.mp4";
  other.output = "cafe\xCC\x81.mp4";
  EXPECT_TRUE(throws_error(
      [&] {
        plan_names({wanted, other}, "", "out");
      },
      ErrorCode::kUsage, "would have one name"));
  wanted.output = "x.mp4";
  EXPECT_EQ(plan_names({wanted, other}, "", "out")[1].slot, "cafe\xCC\x81")
      << "an outright name stays as it was written";
}

TEST(Plan, ClipsThatDifferInTheirExtensionKeepIt) {
  const auto planned =
      plan_names({item("in/a.mp4"), item("in/a.mov"), item("in/b.mp4")}, "", "out");
  EXPECT_EQ(planned[0].slot, "a.mp4.sound");
  EXPECT_EQ(planned[1].slot, "a.mov.sound");
  EXPECT_EQ(planned[2].slot, "b.sound");
}

TEST(Plan, CollisionsAreRefusedByName) {
  EXPECT_TRUE(throws_error(
      [] {
        plan_names({item("x/a.mp4"), item("y/a.mp4")}, "", "out");
      },
      ErrorCode::kUsage, "x/a.mp4 y/a.mp4"));
  EXPECT_TRUE(throws_error(
      [] {
        plan_names({item("in/a.mp4"), item("in/a.mov")}, "{name}.{ext}", "out");
      },
      ErrorCode::kUsage, "in/a.mp4 in/a.mov"));
  Item first = item("in/a.mp4"), second = item("in/b.mp4");
  first.output = "day/x.mp4";
  second.output = "day/x.mkv";
  EXPECT_TRUE(throws_error(
      [&] {
        plan_names({first, second}, "", "out");
      },
      ErrorCode::kUsage, "day/x: in/a.mp4 in/b.mp4"))
      << "their reports would have one name";
  EXPECT_TRUE(throws_error([] { plan_names({item("out/a.mp4")}, "{name}.{ext}", "out"); },
                           ErrorCode::kUsage, "name of a clip"));
  EXPECT_EQ(plan_names({item("x/a.mp4"), item("y/a.mp4")}, "{parent}/{name}.{ext}", "out").size(),
            2U);
}

}  // namespace
}  // namespace qingyin::batch
