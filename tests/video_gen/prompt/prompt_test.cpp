#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/expect_error.h"
#include "video_gen/prompt/composer.h"
#include "video_gen/prompt/presets.h"
#include "video_gen/prompt/scene.h"
#include "video_gen/prompt/words.h"

namespace qingyin::prompt {
namespace {

using test::throws_error;

bool is_english(const std::string& text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0xE3) return false;
  return !text.empty();
}

TEST(PromptScene, TakesEnglishApart) {
  const Scene scene = read_scene("A small white cat running after a butterfly in the garden.");
  EXPECT_EQ(scene.subject, "A small white cat");
  EXPECT_EQ(scene.motion, "running after a butterfly");
  EXPECT_EQ(scene.place, "in the garden");
  EXPECT_EQ(read_scene("a king").subject, "a king");
}

TEST(PromptScene, PutsChineseIntoEnglishOrder) {
  const Scene cat = read_scene("一只白色的小猫在花园里追蝴蝶");
  EXPECT_EQ(cat.subject, "a white kitten");
  EXPECT_EQ(cat.motion, "chasing a butterfly");
  EXPECT_EQ(cat.place, "in the garden");
  const Scene dogs = read_scene("两只狗在沙滩上奔跑，黄昏");
  EXPECT_EQ(dogs.subject, "two dogs");
  EXPECT_EQ(dogs.motion, "running");
  EXPECT_EQ(dogs.place, "on the beach, at dusk");
  EXPECT_EQ(read_scene("一个老人").subject, "an old man");
  EXPECT_EQ(read_scene("海边的日落").place, "the seaside, at sunset");
  const Scene samurai = read_scene("一位武士在竹林中战斗，夜晚下着大雨");
  EXPECT_EQ(samurai.motion, "fighting");
  EXPECT_EQ(samurai.place, "in the bamboo grove, with heavy falling rain, at night");
  EXPECT_TRUE(dogs.unknown.empty());
}

TEST(PromptScene, NamesWhatItLeavesOut) {
  const Scene scene = read_scene("一只犰狳和一只猫");
  EXPECT_EQ(scene.subject, "a cat");
  ASSERT_EQ(scene.unknown.size(), 1U);
  EXPECT_EQ(scene.unknown[0], "犰狳");
  EXPECT_TRUE(throws_error([] { read_scene("犰狳"); }, ErrorCode::kUsage, "in English"));
  EXPECT_TRUE(throws_error([] { read_scene("  "); }, ErrorCode::kUsage, "is empty"));
  EXPECT_TRUE(throws_error([] { read_scene("\xff\xfe"); }, ErrorCode::kUsage, "UTF-8"));
}

TEST(PromptScene, HearsWhatIsSeen) {
  EXPECT_EQ(read_scene("a dog barking in the rain").sounds.front(), "a dog barking");
  EXPECT_EQ(read_scene("大雨中的火车").sounds,
            (std::vector<std::string>{"heavy rain", "a train on rails"}));
  EXPECT_TRUE(read_scene("a carpet").sounds.empty()) << "no car in it";
}

TEST(PromptWords, AreLongestFirst) {
  const auto all = words();
  for (std::size_t i = 1; i < all.size(); ++i)
    EXPECT_GE(all[i - 1].chinese.size(), all[i].chinese.size()) << all[i].chinese;
}

TEST(PromptComposer, GivesThreeStylesAndThreeOthers) {
  std::set<std::string> texts;
  const Wish wish{.line = "a horse galloping across the grassland"};
  for (int round = 0; round < 4; ++round) {
    std::set<std::string> looks;
    for (const Composed& one : compose(wish, round)) {
      looks.insert(one.style);
      texts.insert(one.text);
      EXPECT_NE(one.text.find("horse galloping across the grassland"), std::string::npos);
      EXPECT_EQ(one.sound, "hooves on the ground, wind in grass");
    }
    EXPECT_EQ(looks.size(), 3U) << "round " << round;
  }
  EXPECT_EQ(texts.size(), 12U);
}

TEST(PromptComposer, KeepsWhatAPersonChose) {
  for (const Composed& one : compose({.line = "一条龙", .style = "水墨", .camera = "orbit"})) {
    EXPECT_EQ(one.style, "ink-painting");
    EXPECT_EQ(one.camera, "orbit");
    EXPECT_TRUE(is_english(one.text)) << one.text;
    EXPECT_NE(one.text.find("ink wash painting"), std::string::npos);
  }
  EXPECT_TRUE(throws_error([] { compose({.line = "a cat", .style = "baroque"}); },
                           ErrorCode::kUsage, "expected one of realistic"));
}

TEST(PromptComposer, FollowsTheFormulas) {
  const Wish full{.line = "a cat sleeping on the roof",
                  .style = "film",
                  .mood = "calm",
                  .camera = "push-in",
                  .light = "moonlight"};
  EXPECT_EQ(compose_plain(full).text,
            "The camera slowly pushes in, cold moonlight. A cat sleeping on the roof. A calm, "
            "unhurried atmosphere, a scene of a feature film, anamorphic look, shallow depth of "
            "field.");
  Wish simple = full;
  simple.formula = Formula::kSimple;
  EXPECT_EQ(compose_plain(simple).text.rfind("The camera slowly pushes in, a cat sleeping", 0), 0U);
}

TEST(PromptComposer, NeedsNoWordsBesideAPicture) {
  const auto prompts = compose({.line = "", .has_picture = true});
  EXPECT_NE(prompts[0].text.find("subject of the picture"), std::string::npos);
  EXPECT_TRUE(throws_error([] { compose({.line = ""}); }, ErrorCode::kUsage, "is empty"));
}

TEST(PromptPresets, HaveTwoNamesEach) {
  for (const auto presets : {styles(), moods(), cameras(), lights()}) {
    std::set<std::string_view> names;
    for (const Preset& preset : presets) {
      EXPECT_TRUE(names.insert(preset.name).second);
      EXPECT_TRUE(names.insert(preset.chinese).second);
      EXPECT_EQ(&find_preset(presets, preset.chinese, "preset"), &preset);
    }
  }
}

}  // namespace
}  // namespace qingyin::prompt
