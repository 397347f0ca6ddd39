#include "audio_gen/lexicon.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

#include "audio_gen/vocabulary.h"

namespace qingyin {
namespace {

std::string best_class(std::string_view text) {
  const LexiconMatch match = look_up(text);
  const SoundWord* best = match.best();
  return best ? std::string(sound_classes()[static_cast<std::size_t>(best->class_id)].name) : "";
}

std::string material(std::string_view text) {
  const LexiconMatch match = look_up(text);
  return match.material_id
             ? std::string(sound_materials()[static_cast<std::size_t>(*match.material_id)])
             : "";
}

TEST(Vocabulary, NamesAndIdsAgree) {
  for (std::size_t id = 0; id < sound_classes().size(); ++id) {
    EXPECT_EQ(class_id(sound_classes()[id].name), static_cast<int>(id));
  }
  for (std::size_t id = 0; id < sound_materials().size(); ++id) {
    EXPECT_EQ(material_id(sound_materials()[id]), static_cast<int>(id));
  }
  EXPECT_EQ(sound_materials()[0], "none");
  EXPECT_EQ(class_id("Impact"), std::nullopt);
  EXPECT_EQ(material_id(""), std::nullopt);
}

TEST(Vocabulary, IdsOfTheTrainedWeightsStay) {
  const std::vector<std::string_view> order{
      "impact",  "footstep", "drop",   "bubbles",   "rain",   "stream", "wind",
      "fire",    "engine",   "whoosh", "explosion", "bell",   "scrape", "rolling",
      "door",    "fall",     "splash", "break",     "rustle", "click",  "vehicle",
      "gunshot", "animal",   "bark",   "chirp",     "murmur", "blip",   "riser"};
  for (std::size_t id = 0; id < order.size(); ++id) EXPECT_EQ(sound_classes()[id].name, order[id]);
}

TEST(Vocabulary, WhatOlderWeightsDoNotKnowHasAStandIn) {
  const auto classes = sound_classes();
  for (int known = 14; known <= static_cast<int>(classes.size()); ++known) {
    for (int id = 0; id < static_cast<int>(classes.size()); ++id) {
      const int used = stand_in(id, known);
      EXPECT_GE(used, 0);
      EXPECT_LT(used, known) << classes[static_cast<std::size_t>(id)].name;
      if (id < known) {
        EXPECT_EQ(used, id);
      }
    }
  }
  EXPECT_EQ(stand_in(*class_id("gunshot"), 14), class_id("explosion"));
  EXPECT_EQ(stand_in(*class_id("rustle"), 14), class_id("scrape"));
}

TEST(Lexicon, EveryEntryNamesKnownThingsOnce) {
  std::set<std::string> seen;
  for (const LexiconEntry& entry : lexicon_entries()) {
    EXPECT_FALSE(entry.words.empty());
    if (!entry.sound.empty()) {
      EXPECT_TRUE(class_id(entry.sound)) << entry.sound;
      EXPECT_GT(entry.score, 0) << entry.words;
      EXPECT_LE(entry.score, 1) << entry.words;
    }
    if (!entry.material.empty()) {
      EXPECT_TRUE(material_id(entry.material)) << entry.material;
    }
    std::string_view rest = entry.words;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(", "), rest.size());
      const std::string word(rest.substr(0, comma));
      EXPECT_TRUE(seen.insert(word).second) << word << " stands twice";
      rest.remove_prefix(std::min(rest.size(), comma + 2));
    }
  }
}

TEST(Lexicon, EverySoundWordFindsItsClass) {
  for (const LexiconEntry& entry : lexicon_entries()) {
    if (entry.sound.empty()) continue;
    std::string_view rest = entry.words;
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(", "), rest.size());
      const std::string_view word = rest.substr(0, comma);
      EXPECT_EQ(best_class(word), entry.sound) << word;
      rest.remove_prefix(std::min(rest.size(), comma + 2));
    }
  }
}

TEST(Lexicon, EveryClassIsFoundByItsNameAndInChinese) {
  std::map<std::string_view, bool> chinese;
  for (const SoundClassInfo& info : sound_classes()) {
    EXPECT_EQ(best_class(info.name), info.name);
    EXPECT_GE(look_up(info.name).best()->score, 0.99) << info.name;
  }
  for (const LexiconEntry& entry : lexicon_entries()) {
    for (const char c : entry.words) chinese[entry.sound] |= (c & 0x80) != 0;
  }
  for (const SoundClassInfo& info : sound_classes()) EXPECT_TRUE(chinese[info.name]) << info.name;
}

TEST(Lexicon, ReadsPhrases) {
  struct Case {
    std::string_view text, sound, material;
  };
  for (const Case& c : std::vector<Case>{
           {"wooden door knock", "impact", "wood"},
           {"脚步声", "footstep", ""},
           {"雨", "rain", ""},
           {"glass breaking", "break", "glass"},
           {"door slam", "door", "wood"},
           {"he slams the metal door", "door", "metal"},
           {"knock on the door", "impact", "wood"},
           {"a body falls down", "fall", ""},
           {"typing on a keyboard", "click", "plastic"},
           {"car passing by", "vehicle", ""},
           {"gun shot", "gunshot", ""},
           {"dog barking", "bark", ""},
           {"cat meowing", "animal", ""},
           {"birds chirping", "chirp", ""},
           {"crowd murmuring", "murmur", ""},
           {"paper rustling", "rustle", ""},
           {"crinkling plastic bag", "rustle", "plastic"},
           {"rustling leaves", "rustle", "earth"},
           {"big splash in the water", "splash", ""},
           {"UI click", "blip", ""},
           {"UI whoosh", "whoosh", ""},
           {"cinematic riser", "riser", ""},
           {"用力关门", "door", "wood"},
           {"玻璃杯打碎", "break", "glass"},
           {"有人摔倒", "fall", ""},
           {"敲键盘", "click", "plastic"},
           {"汽车驶过", "vehicle", ""},
           {"狗叫", "bark", ""},
           {"塑料袋沙沙声", "rustle", "plastic"},
           {"人群嘈杂", "murmur", ""},
           {"Footsteps on gravel", "footstep", "earth"},
           {"a metal bell rings", "bell", "metal"},
           {"water dripping", "drop", ""},
           {"tap water running", "stream", ""},
           {"SWORD SWINGING", "whoosh", "metal"},
           {"木门被敲击", "impact", "wood"},
           {"金属球滚动", "rolling", "metal"},
           {"plastic bottle", "impact", "plastic"},
           {"car", "engine", ""},
           {"石头路面上的脚步", "footstep", "stone"},
           {"crackling campfire", "fire", ""},
           {"marbles rolling on wood", "rolling", "wood"},
       }) {
    EXPECT_EQ(best_class(c.text), c.sound) << c.text;
    EXPECT_EQ(material(c.text), c.material) << c.text;
  }
}

TEST(Lexicon, SaysWhenAClassIsOnlyTheNearest) {
  EXPECT_FALSE(look_up("thunder").best()->is_exact());
  EXPECT_FALSE(look_up("neighing").best()->is_exact());
  EXPECT_TRUE(look_up("glass breaking").best()->is_exact());
  EXPECT_TRUE(look_up("gunshot").best()->is_exact());
  EXPECT_TRUE(look_up("knock").best()->is_exact());
  EXPECT_TRUE(look_up("暴雨").best()->is_exact());
}

TEST(Lexicon, GivesAllClassesInTheOrderOfTheText) {
  const LexiconMatch match = look_up("wind, then thunder and rain on a tin roof; more wind");
  ASSERT_EQ(match.sounds.size(), 3U);
  EXPECT_EQ(match.sounds[0].class_id, class_id("wind"));
  EXPECT_EQ(match.sounds[1].class_id, class_id("explosion"));
  EXPECT_EQ(match.sounds[2].class_id, class_id("rain"));
  EXPECT_EQ(match.material_id, material_id("metal"));
}

TEST(Lexicon, ThingsCountOnlyWhereNoSoundIsNamed) {
  const LexiconMatch match = look_up("rain on a car");
  ASSERT_EQ(match.sounds.size(), 1U);
  EXPECT_EQ(match.sounds[0].class_id, class_id("rain"));
  EXPECT_EQ(match.size, std::nullopt);  // the car is large, the rain is not
}

TEST(Lexicon, ReadsSizeStrengthAndDuration) {
  EXPECT_LT(look_up("small bell").size.value(), 0.3);
  EXPECT_GT(look_up("huge explosion").size.value(), 0.7);
  EXPECT_LT(look_up("小石头").size.value(), 0.3);
  EXPECT_GT(look_up("巨大的爆炸").size.value(), 0.7);
  EXPECT_LT(look_up("轻轻敲门").intensity.value(), 0.4);
  EXPECT_GT(look_up("heavy rain").intensity.value(), 0.7);
  EXPECT_GT(look_up("heavy impact").size.value(), 0.7);
  EXPECT_EQ(look_up("wind ambience").sustained, true);
  EXPECT_EQ(look_up("a single knock").sustained, false);
  EXPECT_EQ(look_up("knock").sustained, std::nullopt);
  EXPECT_EQ(look_up("knock").size, std::nullopt);
}

TEST(Lexicon, WordsInsideWordsDoNotCount) {
  EXPECT_EQ(best_class("terrain"), "");  // holds "rain"
  EXPECT_EQ(best_class("bring"), "");    // holds "ring"
  EXPECT_EQ(best_class("spring"), "");
  EXPECT_EQ(best_class("window"), "impact");  // a thing of glass, no wind
}

TEST(Lexicon, UnknownEmptyAndBrokenTextGivesNothing) {
  for (const std::string_view text :
       {std::string_view(""), std::string_view("   ,.;"), std::string_view("xylophonist"),
        std::string_view("\xff\xfe\x80"), std::string_view("\xe8\x84"), std::string_view("a\0b", 3),
        std::string_view("桥")}) {
    EXPECT_TRUE(look_up(text).sounds.empty());
    EXPECT_EQ(look_up(text).best(), nullptr);
  }
  EXPECT_EQ(best_class("\xff rain \xe8"), "rain");
  EXPECT_EQ(best_class(std::string(100000, 'x') + " rain"), "rain");
}

/// The row of an entry in docs/sound-bank.md.
std::string document(const LexiconEntry& entry) {
  std::ostringstream row;
  row << "| " << entry.words << " | " << entry.sound;
  if (entry.score > 0) row << ' ' << entry.score;
  row << (entry.is_object ? ", a thing" : "") << " | " << entry.material << " | ";
  if (entry.size) row << "size " << *entry.size << ' ';
  if (entry.intensity) row << "intensity " << *entry.intensity << ' ';
  if (entry.sustained) row << (*entry.sustained ? "lasting" : "short");
  row << " |";
  return row.str();
}

TEST(Lexicon, IsDocumentedAsItIs) {
  std::ifstream file(std::string(QINGYIN_SOURCE_DIR) + "/docs/sound-bank.md");
  std::multiset<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.insert(line);
  for (const LexiconEntry& entry : lexicon_entries()) {
    EXPECT_EQ(lines.count(document(entry)), 1U) << "missing in the document:\n" << document(entry);
  }
}

TEST(Lexicon, NearestClassesHelpWithTypingErrors) {
  ASSERT_FALSE(nearest_classes("explosoin").empty());
  EXPECT_EQ(nearest_classes("explosoin")[0], "explosion");
  EXPECT_EQ(nearest_classes("footsetp")[0], "footstep");
  EXPECT_EQ(nearest_classes("火花")[0], "fire");
  EXPECT_TRUE(nearest_classes("qqqq").empty());
  EXPECT_TRUE(nearest_classes("").empty());
  EXPECT_LE(nearest_classes("water drip rain wind", 2).size(), 2U);
}

}  // namespace
}  // namespace qingyin
