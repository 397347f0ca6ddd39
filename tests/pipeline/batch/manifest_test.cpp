#include "pipeline/batch/manifest.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace qingyin::batch {
namespace {

using test::throws_error;

std::vector<Item> read(const std::string& text, ManifestForm form = ManifestForm::kAuto) {
  ItemOptions defaults;
  defaults.wishes.prompt = "rain";
  defaults.sound.seed = 9;
  return read_manifest(text, form, "/clips", "list", defaults);
}

// The item's fault names the line and holds the words.
void is_bad(const Item& item, const std::string& place, const std::string& words) {
  ASSERT_TRUE(item.fault.has_value()) << words;
  EXPECT_EQ(item.fault->code, ErrorCode::kUsage);
  EXPECT_EQ(item.fault->reason, "bad_row");
  EXPECT_NE(item.fault->message.find(place), std::string::npos) << item.fault->message;
  EXPECT_NE(item.fault->message.find(words), std::string::npos) << item.fault->message;
}

TEST(Manifest, JsonRowsSetTheirOwnOptions) {
  const auto items = read(
      "\xEF\xBB\xBF{\"input\": \"a/x.mp4\", \"prompt\": \"a bell\", \"ambience\": [\"rain\", "
      "\"wind\"], \"seed\": 18446744073709551615, \"original\": \"duck\", \"output\": \"y/z.mkv\"}"
      "\r\n\n{\"input\": \"/abs/b.mp4\", \"loudness\": \"ebu-r128\", \"steps\": 3}\n");
  ASSERT_EQ(items.size(), 2U);
  EXPECT_FALSE(items[0].fault) << items[0].fault->message;
  EXPECT_EQ(items[0].input, "/clips/a/x.mp4");
  EXPECT_EQ(items[0].folder, "a");
  EXPECT_EQ(items[0].output, "y/z.mkv");
  EXPECT_EQ(items[0].options.wishes.prompt, "a bell");
  EXPECT_EQ(items[0].options.wishes.ambience, (std::vector<std::string>{"rain", "wind"}));
  EXPECT_EQ(items[0].options.sound.seed, UINT64_MAX);
  EXPECT_EQ(items[0].options.sound.original, OriginalSound::kDuck);
  EXPECT_EQ(items[1].input, "/abs/b.mp4");
  EXPECT_EQ(items[1].folder, "");
  EXPECT_EQ(items[1].options.wishes.prompt, "rain") << "defaults stay";
  EXPECT_EQ(items[1].options.sound.seed, 9U);
  EXPECT_EQ(items[1].options.sound.settings.steps, 3);
}

TEST(Manifest, BadJsonRowsAreFaultsOfTheirOwn) {
  const auto items = read(
      "{\"input\": \"a.mp4\"}\n"
      "{\"input\": \"a.mp4\", \"sed\": 1}\n"
      "{\"input\": 7, \"seed\": -1}\n"
      "{broken\n"
      "{\"prompt\": \"x\"}\n"
      "{\"input\": \"a\", \"input\": \"b\"}\n"
      "{\"input\": \"a\", \"output\": \"../b.mp4\"}\n"
      "{\"input\": \"a\", \"output\": \"/b.mp4\"}\n"
      "{\"input\": \"a\", \"loudness\": \"loud\"}\n"
      "{\"input\": [\"a\", \"b\"]}\n"
      "{\"input\": {\"a\": 1}}\n");
  ASSERT_EQ(items.size(), 11U);
  EXPECT_FALSE(items[0].fault);
  is_bad(items[1], "list:2", "\"sed\"");
  is_bad(items[2], "list:3", "seed");
  is_bad(items[3], "list:4", "expected");
  is_bad(items[4], "list:5", "no input");
  is_bad(items[5], "list:6", "twice");
  is_bad(items[6], "list:7", "below the output folder");
  is_bad(items[7], "list:8", "below the output folder");
  is_bad(items[8], "list:9", "ebu-r128");
  is_bad(items[9], "list:10", "expected one value");
  is_bad(items[10], "list:11", "an object");
}

TEST(Manifest, CsvCellsMayBeQuoted) {
  const auto items = read(
      "input,prompt,ambience,seed\r\n"
      "\"a, \"\"b\"\".mp4\",\"one\ntwo\",rain; wind,3\r\n"
      "c.mp4,,,\r\n"
      "d.mp4,x,y,z\n"
      "e.mp4,1,2,3,4\n"
      "\"f.mp4");
  ASSERT_EQ(items.size(), 5U);
  EXPECT_EQ(items[0].input, "/clips/a, \"b\".mp4");
  EXPECT_EQ(items[0].options.wishes.prompt, "one\ntwo");
  EXPECT_EQ(items[0].options.wishes.ambience, (std::vector<std::string>{"rain", "wind"}));
  EXPECT_EQ(items[0].options.sound.seed, 3U);
  EXPECT_EQ(items[1].options.wishes.prompt, "rain") << "an empty cell says nothing";
  is_bad(items[2], "list:5", "seed");
  is_bad(items[3], "list:6", "cells");
  is_bad(items[4], "list:7", "no end");
}

TEST(Manifest, PathsOneALineOrParted) {
  const auto lines = read("a.mp4\n b c.mp4\n\n-d.mp4");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1].input, "/clips/ b c.mp4");
  const auto parted = read(std::string("new\nline.mp4\0b.mp4\0", 21));
  ASSERT_EQ(parted.size(), 2U);
  EXPECT_EQ(parted[0].input, "/clips/new\nline.mp4");
}

TEST(Manifest, RefusesWhatIsNoManifest) {
  EXPECT_TRUE(throws_error([] { read("clip,seed\na,1\n", ManifestForm::kCsv); },
                           ErrorCode::kInvalidInput, "no column 'input'"));
  EXPECT_TRUE(read("").empty());
}

}  // namespace
}  // namespace qingyin::batch
