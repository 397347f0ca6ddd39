// Label lists, which pictures are looked at, and what is made of CLIP's rows: by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "audio_gen/vocabulary.h"
#include "core/error.h"
#include "understanding/labels/label_choice.h"
#include "understanding/labels/label_plan.h"
#include "understanding/labels/label_set.h"

namespace qingyin {
namespace {

const std::string kHeader = "label\tkind\tsound\tmaterial\tpicture\tcaption\n";

LabelVocabulary vocabulary() {
  return {{{"impact", "impacts"}, {"scrape", "foley"}, {"bell", "impacts"}, {"rain", "nature"}},
          {"wood", "metal"}};
}

std::string refusal(const std::string& text) {
  try {
    parse_labels(text, "list.tsv", vocabulary());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidInput);
    EXPECT_EQ(error.reason(), "broken_labels");
    return error.what();
  }
  return "nothing was refused";
}

LabelSet small_set() {
  return parse_labels(kHeader +
                          "axe\tstrike\timpact\twood\tan axe\tan axe splits wood\n"
                          "gong\tstrike\tbell\t\ta gong\ta gong is struck\n"
                          "pan\tstrike\timpact\tmetal\ta pan\ta pan clangs\n"
                          "saw\tlasting\tscrape\twood\ta saw\ta saw cuts\n"
                          "rain\tambience\train\t\train\tsteady rain\n"
                          "office\tambience\t\t\tan office\ta quiet office\n",
                      "small", vocabulary());
}

SoundEvent event(double onset_s, std::optional<std::array<double, 2>> position,
                 const std::string& label = "impact") {
  SoundEvent e;
  e.id = "e" + std::to_string(static_cast<int>(onset_s * 1000));
  e.label = label;
  e.lane = "impacts";
  e.onset = Seconds(onset_s);
  e.offset = Seconds(onset_s + 0.25);
  e.position = position;
  e.source = "motion";
  return e;
}

EventTimeline timeline_of(std::vector<SoundEvent> events, std::vector<Seconds> cuts = {}) {
  EventTimeline timeline;
  timeline.clip.duration = Seconds(6);
  timeline.cuts = std::move(cuts);
  timeline.events = std::move(events);
  return timeline;
}

TEST(Labels, ThoseThatShipFitTheEngineAndTheirKinds) {
  LabelVocabulary known;
  std::map<std::string, SoundShape> shapes;
  for (const auto& sound : sound_classes()) {
    known.sounds.push_back({sound.name, sound.lane});
    shapes[std::string(sound.name)] = sound.shape;
  }
  const auto materials = sound_materials();
  known.materials.assign(materials.begin() + 1, materials.end());
  const LabelSet set = parse_labels(built_in_labels(), "built-in", known);
  EXPECT_GT(set.labels.size(), 300U);
  std::map<LabelKind, int> count;
  for (const auto& label : set.labels) {
    ++count[label.kind];
    if (label.kind == LabelKind::kStrike) {
      EXPECT_EQ(shapes.at(label.sound), SoundShape::kOneShot) << label.name;
    } else if (!label.sound.empty()) {
      EXPECT_NE(shapes.at(label.sound), SoundShape::kOneShot) << label.name;
    }
  }
  EXPECT_GT(count[LabelKind::kStrike], 100);
  EXPECT_GT(count[LabelKind::kLasting], 50);
  EXPECT_GT(count[LabelKind::kAmbience], 50);
}

TEST(Labels, EveryBrokenLineIsNamed) {
  const std::string message = refusal(kHeader +
                                      "# a comment\n"
                                      "axe\tstrike\timpact\twood\tan axe\tan axe splits wood\n"
                                      "axe\tstrike\timpact\twood\tan axe\tan axe splits wood\n"
                                      "bad\tstrke\timpact\t\ta thing\ta sound\n"
                                      "\n"
                                      "few\tstrike\timpact\n"
                                      "odd\tstrike\tboing\t\ta thing\ta sound\n"
                                      "mud\tstrike\timpact\tmud\ta thing\ta sound\n"
                                      "mute\tstrike\t\t\ta thing\ta sound\n"
                                      "mild\tstrike\timpact\t\t\ta sound\n");
  for (const char* wanted :
       {"list.tsv", "line 4: the label", "line 5: kind is", "line 7: 3 columns", "line 8: sound is",
        "expected one of impact, scrape, bell, rain", "line 9: material is",
        "line 10: only an ambience", "line 11: picture is empty"})
    EXPECT_NE(message.find(wanted), std::string::npos) << wanted << "\n" << message;
  EXPECT_NE(refusal("axe\tstrike\n").find("line 1: expected the header"), std::string::npos);
  EXPECT_NE(refusal("").find("no header"), std::string::npos);
  EXPECT_NE(refusal(kHeader).find("no label"), std::string::npos);
  EXPECT_NE(refusal(kHeader + "a\xff\tstrike\timpact\t\tx\ty\n").find("line 2: label is not UTF-8"),
            std::string::npos);
}

TEST(Labels, TheSameThingAtTheSamePlaceIsNamedTogether) {
  auto lasting = event(4.5, {{0, 0}}, "scrape");
  lasting.envelope = {{Seconds(0), 1.0}};
  lasting.offset = Seconds(5.5);
  auto mine = event(5.8, {{0, 0}});
  mine.source = "user";
  auto kept = event(5.9, {{0, 0}});
  kept.locked = true;
  const auto timeline =
      timeline_of({event(0.5, {{0, 0}}), event(1, {{0.1, 0.1}}), event(1.5, {{0.9, 0}}),
                   event(2, {{0, 0}}), event(3.5, {{0, 0}}), lasting, mine, kept},
                  {Seconds(3)});
  const auto plan = plan_labels(timeline, {.most_glances = 100, .wants_ambience = false});
  ASSERT_EQ(plan.targets.size(), 4U);
  EXPECT_EQ(plan.targets[0].events, (std::vector<std::size_t>{0, 1, 3}));
  EXPECT_EQ(plan.targets[1].events, (std::vector<std::size_t>{2}));
  EXPECT_EQ(plan.targets[2].events, (std::vector<std::size_t>{4}));  // after the cut
  EXPECT_EQ(plan.targets[3].events, (std::vector<std::size_t>{5}));
  EXPECT_EQ(plan.targets[3].kind, LabelKind::kLasting);
  EXPECT_EQ(plan.targets[0].glances.size(), 6U);  // three moments, each near and whole
  EXPECT_TRUE(std::ranges::is_sorted(plan.glances, {}, &Glance::time));
  const Glance& middle = plan.glances[plan.targets[3].glances.front()];
  EXPECT_EQ(middle.time, Seconds(5));
  EXPECT_TRUE(middle.place.has_value());
}

TEST(Labels, TheAmbienceIsLookedForShotByShot) {
  const auto plan = plan_labels(timeline_of({}, {Seconds(3)}), {.most_glances = 100});
  ASSERT_EQ(plan.targets.size(), 2U);
  for (const auto& target : plan.targets) {
    EXPECT_EQ(target.kind, LabelKind::kAmbience);
    ASSERT_EQ(target.glances.size(), 3U);
    for (const std::size_t i : target.glances) {
      EXPECT_GT(plan.glances[i].time, target.begin);
      EXPECT_LT(plan.glances[i].time, target.end);
      EXPECT_FALSE(plan.glances[i].place.has_value());
    }
  }
  EXPECT_EQ(plan.targets[1].begin, Seconds(3));
  EXPECT_EQ(plan.targets[1].end, Seconds(6));
}

TEST(Labels, ALimitGivesEachTargetItsFirstGlanceFirst) {
  const auto timeline =
      timeline_of({event(0.5, {{0, 0}}), event(1.5, {{0.9, 0}}), event(2, {{-0.9, 0}})});
  const auto three = plan_labels(timeline, {.most_glances = 3, .wants_ambience = false});
  ASSERT_EQ(three.targets.size(), 3U);
  for (const auto& target : three.targets) EXPECT_EQ(target.glances.size(), 1U);
  EXPECT_EQ(three.unseen, 0U);
  const auto two = plan_labels(timeline, {.most_glances = 2, .wants_ambience = true});
  EXPECT_EQ(two.targets.size(), 2U);
  EXPECT_EQ(two.unseen, 2U);
}

TEST(Labels, TheSquareStaysInThePicture) {
  EXPECT_EQ(square_around({0, 0}, 200, 100), (SquareCut{70, 20, 60}));
  EXPECT_EQ(square_around({1, 1}, 200, 100), (SquareCut{140, 0, 60}));   // right and up
  EXPECT_EQ(square_around({-1, -1}, 200, 100), (SquareCut{0, 40, 60}));  // left and down
  EXPECT_EQ(square_around({0, 0}, 1, 1), (SquareCut{0, 0, 1}));
}

TEST(Labels, TheLikeliestAreTheSoftmaxByHand) {
  const LabelSet set = small_set();
  constexpr std::size_t kWidth = 3;
  const double scale = 4;
  FeatureTensor texts{
      .shape = {static_cast<std::int64_t>(kTextsPerLabel * set.labels.size()), kWidth},
      .values = {},
      .hop = Seconds(0)};
  for (std::size_t i = 0; i < kTextsPerLabel * set.labels.size(); ++i) {
    const double a = 0.37 * static_cast<double>(i * i), b = 1.1 * static_cast<double>(i);
    for (const double x : {std::cos(a) * std::cos(b), std::cos(a) * std::sin(b), std::sin(a)})
      texts.values.push_back(static_cast<float>(x));
  }
  ASSERT_EQ(texts_of(set).size(), kTextsPerLabel * set.labels.size());
  const std::vector<std::vector<float>> pictures{{1, 0, 0}, {0.6F, 0.8F, 0}};
  // By hand: mean of both texts to length `scale`, mean of the pictures to length 1.
  std::vector<std::pair<double, std::size_t>> wanted;
  double sum = 0;
  const double length = std::hypot(0.8, 0.4);
  for (std::size_t i = 0; i < 3; ++i) {  // the strikes
    double row[kWidth] = {}, norm = 0;
    for (std::size_t k = 0; k < kWidth; ++k) {
      row[k] = texts.values[2 * i * kWidth + k] + texts.values[(2 * i + 1) * kWidth + k];
      norm += row[k] * row[k];
    }
    const double logit = scale / std::sqrt(norm) * (row[0] * 0.8 + row[1] * 0.4) / length;
    wanted.emplace_back(std::exp(logit), i);
    sum += std::exp(logit);
  }
  std::ranges::sort(wanted, std::ranges::greater{});
  const auto rows = label_rows(texts, scale);
  const auto guesses = likeliest(set, rows, pictures, LabelKind::kStrike, 2);
  ASSERT_EQ(guesses.size(), 2U);
  for (std::size_t g = 0; g < 2; ++g) {
    EXPECT_EQ(guesses[g].label, wanted[g].second);
    EXPECT_NEAR(guesses[g].score, wanted[g].first / sum, 1e-5);
  }
  EXPECT_EQ(likeliest(set, rows, pictures, LabelKind::kLasting, 3).size(), 1U);
}

TEST(Labels, ASureGuessNamesWhatTheMotionCannot) {
  const LabelSet set = small_set();
  auto timeline = timeline_of({event(1, {}), event(2, {}, "footstep"), event(2.5, {}, "bell")});
  LabelPlan plan;
  plan.targets = {{.kind = LabelKind::kStrike, .events = {0, 1, 2}, .glances = {0}}};
  const std::vector<std::vector<LabelGuess>> sure{{{1, 0.61239}, {0, 0.3}}};
  write_labels(set, plan, sure, timeline);
  EXPECT_EQ(timeline.events[0].label, "bell");
  EXPECT_EQ(timeline.events[0].caption, "a gong is struck");
  EXPECT_EQ(timeline.events[1].label, "footstep");  // the motion knew better
  EXPECT_EQ(timeline.events[1].caption, "");
  EXPECT_EQ(timeline.events[2].caption, "a gong is struck");
  for (const auto& e : timeline.events)
    EXPECT_EQ(e.labels, (std::vector<ScoredLabel>{{"gong", 0.6124}, {"axe", 0.3}}));

  auto unsure = timeline_of({event(1, {})});
  plan.targets[0].events = {0};
  write_labels(set, plan, std::vector<std::vector<LabelGuess>>{{{2, 0.1}}}, unsure);
  EXPECT_EQ(unsure.events[0].label, "impact");
  EXPECT_EQ(unsure.events[0].material, "");
  EXPECT_EQ(unsure.events[0].labels.size(), 1U);
  write_labels(set, plan, std::vector<std::vector<LabelGuess>>{{{2, 0.9}}}, unsure);
  EXPECT_EQ(unsure.events[0].material, "metal");
}

TEST(Labels, ShotsOfOneAmbienceAreOneLayer) {
  const LabelSet set = small_set();
  LabelPlan plan;
  std::vector<std::vector<LabelGuess>> guesses;
  const std::vector<std::vector<LabelGuess>> shots{
      {{4, 0.9}}, {{4, 0.5}}, {{5, 0.9}}, {{4, 0.8}}, {{4, 0.1}}};
  for (std::size_t i = 0; i < shots.size(); ++i) {
    plan.targets.push_back({.kind = LabelKind::kAmbience,
                            .events = {},
                            .begin = Seconds(static_cast<double>(i)),
                            .end = Seconds(static_cast<double>(i + 1)),
                            .glances = {0}});
    guesses.push_back(shots[i]);
  }
  auto timeline = timeline_of({});
  write_labels(set, plan, guesses, timeline);
  ASSERT_EQ(timeline.ambience.size(), 2U);
  EXPECT_EQ(timeline.ambience[0].label, "rain");
  EXPECT_EQ(timeline.ambience[0].caption, "steady rain");
  EXPECT_EQ(timeline.ambience[0].source, "clip");
  EXPECT_EQ(timeline.ambience[0].onset, Seconds(0));
  EXPECT_EQ(timeline.ambience[0].offset, Seconds(2));
  EXPECT_EQ(timeline.ambience[1].onset, Seconds(3));
  EXPECT_EQ(timeline.ambience[1].offset, Seconds(4));
  EXPECT_NE(timeline.ambience[0].id, timeline.ambience[1].id);
}

}  // namespace
}  // namespace qingyin
