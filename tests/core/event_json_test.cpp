#include <gtest/gtest.h>

#include <cmath>

#include "core/event_io.h"
#include "core/json_text.h"
#include "tests/core/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace qingyin::test {
namespace {

using namespace std::string_literals;

const std::string kExample = R"({
  "schema": "qingyin.events/1",
  "clip": {
    "path": "chopping.mp4", "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "duration_s": 8.041, "frame_rate": "30000/1001",
    "width": 1280, "height": 720, "rotation_deg": 0, "colour": {"space": "bt709"}
  },
  "cuts_s": [3.2032, 5.50],
  "ambience": [
    {"id": "a1", "label": "room tone", "caption": "quiet kitchen", "onset_s": 0.0, "offset_s": 8.041,
     "gain_db": -18.0, "seed": 7, "locked": false, "source": "user"}
  ],
  "events": [
    {"id": "e1", "label": "impact", "material": "wood", "size": 0.40, "caption": "a knife hits a cutting board",
     "onset_s": 0.6406, "offset_s": 8.2e-1, "intensity": 0.72, "position": [0.080, -0.31], "pan": 0.08,
     "gain_db": 0, "confidence": 0.83, "lane": "foley", "source": "motion", "seed": 18446744073709551615, "locked": false,
     "note": {"by": "caf\u00e9", "n": 1e400}},
    {"id": "e2", "label": "roll", "onset_s": 2, "offset_s": 4.5, "envelope": [[0, 0.10], [1.0, 0.9], [1.0, 0.2]], "x-mine": [1.50]}
  ],
  "prompt": "hands slice a cabbage on a white board",
  "negative_prompt": "music, speech",
  "made_by": {"program": "qingyin", "version": "0.1.0", "detector": "motion/1", "models": {"bundled": "sha256"}, "host": 1},
  "unknown": [1.0, 2.00, {"deep": null}]
}
)";

EventDocument read(const std::string& text) { return EventDocument::parse_json(text, "t.json"); }

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string refusal(const std::string& text) {
  return expect_error(ErrorCode::kInvalidInput, [&] { read(text); });
}

// A file with one event of these members, and nothing else.
std::string with_event(const std::string& members) {
  return R"({"schema": "qingyin.events/1", "clip": {"duration_s": 10}, "events": [{)" + members +
         "}]}";
}

const std::string kPlain = R"("id": "e1", "label": "tap", "onset_s": 1, "offset_s": 2)";

TEST(EventJson, ReadsEveryField) {
  const EventTimeline t = read(kExample).timeline;
  EXPECT_EQ(t.clip.path, "chopping.mp4");
  EXPECT_EQ(t.clip.duration.count(), 8.041);
  EXPECT_EQ(t.clip.frame_rate, (FrameRate{30000, 1001}));
  EXPECT_EQ(t.clip.width, 1280);
  EXPECT_EQ(t.clip.height, 720);
  EXPECT_EQ(t.cuts, (std::vector<Seconds>{Seconds(3.2032), Seconds(5.5)}));
  ASSERT_EQ(t.ambience.size(), 1U);
  EXPECT_EQ(t.ambience[0].gain_db, -18.0);
  EXPECT_EQ(t.ambience[0].seed, 7U);
  ASSERT_EQ(t.events.size(), 2U);
  const SoundEvent& e = t.events[0];
  EXPECT_EQ(e.label, "impact");
  EXPECT_EQ(e.material, "wood");
  EXPECT_EQ(e.size, 0.4);
  EXPECT_EQ(e.caption, "a knife hits a cutting board");
  EXPECT_EQ(e.onset.count(), 0.6406);
  EXPECT_EQ(e.offset.count(), 0.82);
  EXPECT_EQ(e.intensity, 0.72);
  EXPECT_EQ(e.position, (std::array<double, 2>{0.08, -0.31}));
  EXPECT_EQ(e.pan, 0.08);
  EXPECT_EQ(e.confidence, 0.83);
  EXPECT_EQ(e.source, "motion");
  EXPECT_EQ(e.seed, 18446744073709551615ULL);
  EXPECT_EQ(t.events[1].envelope.size(), 3U);
  EXPECT_EQ(t.events[1].envelope[1].level, 0.9);
  EXPECT_EQ(t.prompt, "hands slice a cabbage on a white board");
  EXPECT_EQ(t.made_by.models.at("bundled"), "sha256");
  EXPECT_TRUE(problems(t).empty());
}

TEST(EventJson, ReadsTheExampleOfItsPage) {
  const std::string page = content_of(std::string(QINGYIN_SOURCE_DIR) + "/docs/events.md");
  const auto begin = page.find("```json\n") + 8;
  const std::string example = page.substr(begin, page.find("```", begin) - begin);
  const EventDocument document = read(example);
  EXPECT_EQ(document.to_json(), example);
  EXPECT_EQ(document.timeline.events.at(0).seed, 11U);
  EXPECT_EQ(read(EventDocument(document.timeline).to_json()).timeline, document.timeline);
}

TEST(EventJson, GivesAbsentFieldsTheirDefaults) {
  const SoundEvent e = read(with_event(kPlain)).timeline.events.at(0);
  EXPECT_EQ(e.intensity, 0.5);
  EXPECT_EQ(e.gain_db, 0);
  EXPECT_EQ(e.confidence, 1);
  EXPECT_EQ(e.source, "user");
  EXPECT_EQ(e.lane, "foley");
  EXPECT_EQ(e.seed, default_seed("e1"));
  EXPECT_NE(default_seed("e1"), default_seed("e2"));
  EXPECT_LT(default_seed("e1"), 1ULL << 53U);
  EXPECT_FALSE(e.pan || e.position || e.size || e.locked);
  EXPECT_TRUE(read(R"({"schema":"qingyin.events/1","events":[]})").timeline.events.empty());
}

TEST(EventJson, WritesAnUnchangedFileBackByteForByte) {
  const std::vector<std::string> texts = {
      kExample,
      "\xEF\xBB\xBF" + kExample,
      "\n\t" + kExample + " \r\n",
      R"({"events":[],"schema":"qingyin.events/1"})",
      with_event(kPlain +
                 R"(,"material":"","envelope":[],"caption":"","seed":0,"lane":"\u0066oley")"),
      R"({"schema":"qingyin.events/1","cuts_s":[3,1.50,2],"made_by":{},"prompt":"",
         "events":[ {"id":"b","label":"","onset_s":3.10,"offset_s":4},{"id":"a","label":"x","onset_s":-0,"offset_s":0.0} ,
         {"label":"y","onset_s":3.1,"id":"c","offset_s":4} ]})"};
  for (const std::string& text : texts) EXPECT_EQ(read(text).to_json(), text);
}

TEST(EventJson, SortsEventsAndCutsOnReading) {
  const auto document = read(R"({"schema":"qingyin.events/1","cuts_s":[3,1],"events":[
    {"id":"late","label":"x","onset_s":3,"offset_s":3},{"id":"p","label":"x","onset_s":1,"offset_s":1},
    {"id":"q","label":"x","onset_s":1,"offset_s":1}]})");
  EXPECT_EQ(document.timeline.events[0].id, "p");
  EXPECT_EQ(document.timeline.events[1].id, "q");
  EXPECT_EQ(document.timeline.events[2].id, "late");
  EXPECT_EQ(document.timeline.cuts[0].count(), 1);
}

TEST(EventJson, AChangeTouchesNothingElse) {
  EventDocument document = read(kExample);
  document.timeline.events[0].gain_db = -3;
  EXPECT_EQ(document.to_json(), replaced(kExample, R"("gain_db": 0,)", R"("gain_db": -3.0,)"));
  document.timeline.events[0].gain_db = 0;
  document.timeline.events[0].position = {0.08, 0.5};
  EXPECT_EQ(document.to_json(), replaced(kExample, "[0.080, -0.31]", "[0.080, 0.5]"));
  document = read(kExample);
  document.timeline.events[0].seed = 5;
  EXPECT_EQ(document.to_json(), replaced(kExample, "18446744073709551615", "5"));
  document = read(kExample);
  document.timeline.events[1].envelope[1].level = 0.8;
  document.timeline.made_by.detector = "person";
  document.timeline.ambience[0].locked = true;
  document.timeline.cuts[1] = Seconds(6);
  std::string wanted = replaced(kExample, "[1.0, 0.9]", "[1.0, 0.8]");
  wanted = replaced(wanted, "motion/1", "person");
  wanted = replaced(wanted, R"("seed": 7, "locked": false)", R"("seed": 7, "locked": true)");
  wanted = replaced(wanted, "[3.2032, 5.50]", "[3.2032, 6.0]");
  EXPECT_EQ(document.to_json(), wanted);
}

TEST(EventJson, AddsAndRemovesFieldsOfAnEvent) {
  EventDocument document = read(kExample);
  document.timeline.events[0].size.reset();
  document.timeline.events[0].pan.reset();
  document.timeline.events[1].locked = true;
  std::string wanted = replaced(kExample, R"( "size": 0.40,)", "");
  wanted = replaced(wanted, R"(, "pan": 0.08)", "");
  wanted = replaced(wanted, R"("x-mine": [1.50]})", R"("x-mine": [1.50], "locked": true})");
  EXPECT_EQ(document.to_json(), wanted);
  EXPECT_EQ(read(wanted).timeline, document.timeline);
}

TEST(EventJson, KeepsTheLabelsThatARecogniserGave) {
  EventDocument document = read(kExample);
  document.timeline.events[1].labels = {{"an axe", 0.5}, {"a \"gong\"", 0.25}};
  const std::string text = document.to_json();
  EXPECT_CONTAINS(text, R"("labels": [{"label": "an axe", "score": 0.5}, {"label": "a \"gong\"")");
  EXPECT_EQ(read(text).timeline, document.timeline);
  EXPECT_EQ(read(text).to_json(), text);
}

TEST(EventJson, KeepsUnknownKeysOfEventsThatMove) {
  EventDocument document = read(kExample);
  auto& events = document.timeline.events;
  events[0].onset = Seconds(5);
  events[0].offset = Seconds(6);
  std::swap(events[0], events[1]);
  SoundEvent added;
  added.id = "new";
  added.label = "tap";
  added.onset = added.offset = Seconds(7);
  events.push_back(added);
  const std::string text = document.to_json();
  EXPECT_EQ(read(text).timeline, document.timeline);
  EXPECT_CONTAINS(text, R"("note": {"by": "caf\u00e9", "n": 1e400}},)");
  EXPECT_CONTAINS(text, R"("x-mine": [1.50]},)");
  EXPECT_LT(text.find("x-mine"), text.find("caf"));
  events.erase(events.begin(), events.begin() + 2);
  EXPECT_EQ(read(document.to_json()).timeline, document.timeline);
  EXPECT_FALSE(contains(document.to_json(), "x-mine"));
  EXPECT_CONTAINS(document.to_json(), R"("unknown": [1.0, 2.00, {"deep": null}])");
  events.clear();
  document.timeline.clip = {};
  document.timeline.cuts = {Seconds(1)};
  document.timeline.made_by.models.clear();
  EXPECT_EQ(read(document.to_json()).timeline, document.timeline);
}

TEST(EventJson, KeepsTheFilesOrderWhenItMeansTheSame) {
  const std::string text =
      R"({"schema":"qingyin.events/1","events":[{"id":"b","label":"x","onset_s":3,"offset_s":3},)"
      R"({"id":"a","label":"x","onset_s":1,"offset_s":1}]})";
  EventDocument document = read(text);
  document.timeline.events[0].label = "y";
  EXPECT_EQ(document.to_json(), replaced(text, R"("a","label":"x")", R"("a","label":"y")"));
}

TEST(EventJson, AddsEventsToAnEmptyFile) {
  EventDocument document = read(R"({"schema":"qingyin.events/1","events":[]})");
  const EventTimeline example = read(kExample).timeline;
  document.timeline = example;
  EXPECT_EQ(read(document.to_json()).timeline, example);
}

TEST(EventJson, WritesNewDocumentsInTheOrderOfTheExample) {
  const EventTimeline example = read(kExample).timeline;
  const std::string text = EventDocument(example).to_json();
  EXPECT_EQ(read(text).timeline, example);
  EXPECT_EQ(EventDocument(read(text).timeline).to_json(), text);
  std::size_t last = 0;
  for (const char* key : {"\n  \"schema\"",
                          "\n  \"clip\"",
                          "\n  \"cuts_s\"",
                          "\n  \"ambience\"",
                          "\n  \"events\"",
                          "\n    {\"id\": \"e1\", \"label\"",
                          "\"material\"",
                          "\"size\"",
                          "\"caption\"",
                          "\"onset_s\": 0.6406",
                          "\"offset_s\": 0.82",
                          "\"intensity\"",
                          "\"position\"",
                          "\"pan\"",
                          "\"gain_db\"",
                          "\"confidence\"",
                          "\"lane\"",
                          "\"source\"",
                          "\"seed\": 18446744073709551615",
                          "\"locked\"",
                          "\n  \"prompt\"",
                          "\n  \"negative_prompt\"",
                          "\n  \"made_by\""}) {
    const auto at = text.find(key, last);
    ASSERT_NE(at, std::string::npos) << key << " is not behind the one before in\n" << text;
    last = at;
  }
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(read(EventDocument().to_json()).timeline, EventTimeline{});
}

TEST(EventJson, KeepsTimesExactly) {
  EventTimeline timeline;
  timeline.clip.duration = Seconds(1000);
  for (int i = 0; i < 200; ++i) {
    SoundEvent event;
    event.id = "e" + std::to_string(i);
    event.onset = Seconds(i * (1001.0 / 30000.0));
    event.offset = event.onset + Seconds(1.0 / 3);
    event.seed = ~std::uint64_t{0} - static_cast<std::uint64_t>(i);
    timeline.events.push_back(event);
  }
  EXPECT_EQ(read(EventDocument(timeline).to_json()).timeline, timeline);
}

struct Refused {
  std::string members;  // beside or instead of those of kPlain
  std::string wanted;   // in the message
};

TEST(EventJson, RefusesAnEventThatBreaksARule) {
  const std::string span = R"("onset_s": 1, "offset_s": 2)";
  const std::string id = R"("id": "e1", "label": "x", )";
  const std::vector<Refused> cases = {
      {R"("label": "x", )" + span, "/events/0/id: is missing"},
      {R"("id": "e1", )" + span, "/events/0/label: is missing"},
      {id + R"("offset_s": 1)", "/events/0/onset_s: is missing"},
      {id + R"("onset_s": 1)", "/events/0/offset_s: is missing"},
      {R"("id": "", "label": "x", )" + span, "/events/0/id: expected 1 to 64"},
      {R"("id": "a b", "label": "x", )" + span, "/events/0/id: expected 1 to 64"},
      {R"("id": "é", "label": "x", )" + span, "/events/0/id: expected 1 to 64"},
      {R"("id": "../x", "label": "x", )" + span, "/events/0/id: expected 1 to 64"},
      {R"("id": ")" + std::string(65, 'x') + R"(", "label": "x", )" + span,
       "/events/0/id: expected"},
      {R"("id": 1, "label": "x", )" + span, "/events/0/id: expected a string, found 1"},
      {id + R"("onset_s": -0.001, "offset_s": 2)", "/events/0/onset_s: expected a time from 0.0"},
      {id + R"("onset_s": 3, "offset_s": 2)",
       "/events/0/offset_s: 2.0 lies before the onset at 3.0"},
      {id + R"("onset_s": 3, "offset_s": 10.001)",
       "/events/0/offset_s: 10.001 lies past the clip's end at 10.0"},
      {id + R"("onset_s": "1", "offset_s": 2)",
       R"(/events/0/onset_s: expected a number, found the string "1")"},
      {id + R"("onset_s": null, "offset_s": 2)",
       "/events/0/onset_s: expected a number, found null"},
      {id + R"("onset_s": 1e400, "offset_s": 2)", "/events/0/onset_s: 1e400 lies outside"},
      {kPlain + R"(, "intensity": 1.01)",
       "/events/0/intensity: expected a number from 0.0 to 1.0, found 1.01"},
      {kPlain + R"(, "intensity": -0.1)", "/events/0/intensity: expected"},
      {kPlain + R"(, "size": 2)", "/events/0/size: expected"},
      {kPlain + R"(, "confidence": 2)", "/events/0/confidence: expected"},
      {kPlain + R"(, "pan": -1.5)", "/events/0/pan: expected a number from -1.0 to 1.0"},
      {kPlain + R"(, "pan": null)", "/events/0/pan: expected a number, found null"},
      {kPlain + R"(, "position": [0, 1.1])", "/events/0/position/1: expected"},
      {kPlain + R"(, "position": [0])",
       "/events/0/position: expected an array of two numbers, found an array of 1"},
      {kPlain + R"(, "position": 0.5)", "/events/0/position: expected an array"},
      {kPlain + R"(, "position": [0, "a"])", "/events/0/position/1: expected a number"},
      {kPlain + R"(, "gain_db": 1e300)", "/events/0/gain_db: expected a number from -200.0"},
      {kPlain + R"(, "seed": -1)", "/events/0/seed: expected a whole number"},
      {kPlain + R"(, "seed": 1.0)", "/events/0/seed: expected a whole number"},
      {kPlain + R"(, "seed": 18446744073709551616)", "/events/0/seed: expected a whole number"},
      {kPlain + R"(, "locked": 1)", "/events/0/locked: expected a truth value, found 1"},
      {kPlain + R"(, "lane": "")", "/events/0/lane: is empty"},
      {kPlain + R"(, "source": "")", "/events/0/source: is empty"},
      {kPlain + R"(, "lane": ["a"])", "/events/0/lane: expected a string, found an array"},
      {kPlain + R"(, "envelope": [[0, 0.5], [0.5, 2]])", "/events/0/envelope/1/1: expected"},
      {kPlain + R"(, "envelope": [[1, 0.5], [0.5, 1]])",
       "/events/0/envelope/1/0: 0.5 lies before the point at 1.0"},
      {kPlain + R"(, "envelope": [[-1, 0.5]])", "/events/0/envelope/0/0: expected"},
      {kPlain + R"(, "envelope": [[0, 0.5, 1]])", "/events/0/envelope/0: expected an array of two"},
      {kPlain + R"(, "envelope": {})", "/events/0/envelope: expected an array"},
      {kPlain + R"(, "labels": [{"label": "axe"}])", "/events/0/labels/0/score: is missing"},
      {kPlain + R"(, "labels": ["axe"])", "/events/0/labels/0: expected an object"},
      {kPlain + R"(, "labels": [{"label": "axe", "score": 1.5}])",
       "/events/0/labels/0/score: expected a number from 0.0 to 1.0"},
      {kPlain + R"(, "labels": [{"label": "", "score": 1}])", "/events/0/labels/0/label: is empty"},
      {kPlain + R"(, "lane": "a", "lane": "b")", "/events/0/lane: this key stands twice"},
      {kPlain + R"(, "x": {"a/b": 1, "a\u002fb": 2})", "/events/0/x/a~1b: this key stands twice"},
  };
  for (const Refused& c : cases) {
    const std::string message = refusal(with_event(c.members));
    EXPECT_CONTAINS(message, c.wanted);
    EXPECT_CONTAINS(message, "t.json: breaks the rules of qingyin.events/1 in 1 place;");
  }
}

TEST(EventJson, RefusesATimelineThatBreaksARule) {
  const std::vector<Refused> cases = {
      {R"("events": [])", "/schema: is missing"},
      {R"("schema": "qingyin.events/2", "events": [])", "/schema: expected \"qingyin.events/1\""},
      {R"("schema": "qingyin.events/1")", "/events: is missing"},
      {R"("schema": "qingyin.events/1", "events": {})", "/events: expected an array"},
      {R"("schema": "qingyin.events/1", "events": [5])", "/events/0: expected an object, found 5"},
      {R"("schema": "qingyin.events/1", "events": [], "clip": {})", "/clip/duration_s: is missing"},
      {R"("schema": "qingyin.events/1", "events": [], "clip": {"duration_s": 0})",
       "/clip/duration_s: expected"},
      {R"("schema": "qingyin.events/1", "events": [], "clip": {"duration_s": -2, "width": 5})",
       "/clip/duration_s: expected"},
      {R"("schema": "qingyin.events/1", "events": [], "clip": {"duration_s": 1e9})",
       "/clip/duration_s: expected"},
      {R"("schema": "qingyin.events/1", "events": [], "clip": {"duration_s": 1, "frame_rate": "30"})",
       ""},
      {R"("schema": "qingyin.events/1", "events": [], "clip": {"duration_s": 1, "frame_rate": "30/0"})",
       "/clip/frame_rate: expected"},
      {R"("schema": "qingyin.events/1", "events": [], "clip": {"duration_s": 1, "frame_rate": 30})",
       "/clip/frame_rate: expected a string"},
      {R"("schema": "qingyin.events/1", "events": [], "clip": {"duration_s": 1, "width": -1})",
       "/clip/width: expected"},
      {R"("schema": "qingyin.events/1", "events": [], "clip": {"duration_s": 1, "height": 1.5})",
       "/clip/height: expected a whole"},
      {R"("schema": "qingyin.events/1", "events": [], "clip": {"duration_s": 1, "rotation_deg": 9000000000000})",
       "/clip/rotation_deg: expected"},
      {R"("schema": "qingyin.events/1", "events": [], "clip": {"duration_s": 1}, "cuts_s": [0.5, 2])",
       "/cuts_s/1: 2.0 lies past"},
      {R"("schema": "qingyin.events/1", "events": [], "cuts_s": [true])",
       "/cuts_s/0: expected a number"},
      {R"("schema": "qingyin.events/1", "events": [], "prompt": 7)", "/prompt: expected a string"},
      {R"("schema": "qingyin.events/1", "events": [], "made_by": {"models": {"a": 1}})",
       "/made_by/models/a: expected a string"},
      {R"("schema": "qingyin.events/1", "events": [], "ambience": [{"id": "a", "label": "x", "onset_s": 2, "offset_s": 1}])",
       "/ambience/0/offset_s: 1.0 lies before"},
      {R"("schema": "qingyin.events/1", "events": [], "events": [])",
       "/events: this key stands twice"},
  };
  for (const Refused& c : cases) {
    if (c.wanted.empty()) {
      EXPECT_NO_THROW(read("{" + c.members + "}"));
    } else {
      EXPECT_CONTAINS(refusal("{" + c.members + "}"), c.wanted);
    }
  }
  EXPECT_CONTAINS(refusal("[]"), "expected an object, found an array");
}

TEST(EventJson, IdsAreUniqueOverEventsAndAmbience) {
  const std::string text = R"({"schema": "qingyin.events/1",
    "ambience": [{"id": "a", "label": "x", "onset_s": 0, "offset_s": 1}],
    "events": [{"id": "a", "label": "x", "onset_s": 0, "offset_s": 1},
               {"id": "b", "label": "x", "onset_s": 0, "offset_s": 1},
               {"id": "b", "label": "x", "onset_s": 0, "offset_s": 1}]})";
  const std::string message = refusal(text);
  EXPECT_CONTAINS(message, R"(/events/0/id: "a" is already the id at /ambience/0)");
  EXPECT_CONTAINS(message, R"(/events/2/id: "b" is already the id at /events/1)");
}

TEST(EventJson, ListsEveryFaultAtOnce) {
  std::string text = replaced(kExample, R"("gain_db": 0,)", R"("gain_db": "loud",)");
  text = replaced(text, R"("intensity": 0.72)", R"("intensity": 7)");
  text = replaced(text, R"("offset_s": 4.5)", R"("offset_s": 9)");
  text = replaced(text, R"("width": 1280)", R"("width": "wide")");
  text = replaced(text, R"("prompt": "hands)", R"("cuts": 1, "prompt": 5, "x": "hands)");
  const std::string message = refusal(text);
  for (const char* pointer : {"/events/0/gain_db: ", "/events/0/intensity: ",
                              "/events/1/offset_s: ", "/clip/width: ", "/prompt: ", "5 places"}) {
    EXPECT_CONTAINS(message, pointer);
  }
}

TEST(EventJson, CapsAndEscapesTheListing) {
  std::string events;
  for (int i = 0; i < 200; ++i) {
    events += (i > 0 ? ",{" : "{") + ("\"id\":\"e" + std::to_string(i)) +
              R"(","label":"x","onset_s":"\u001b[31m\n)" + std::string(1000, 'A') +
              R"(","offset_s":1})";
  }
  const std::string message = refusal(R"({"schema":"qingyin.events/1","events":[)" + events + "]}");
  EXPECT_CONTAINS(message, "in 200 places");
  EXPECT_CONTAINS(message, "and 150 more");
  EXPECT_LT(message.size(), 10000U);
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

TEST(EventJson, KeepsItsLimits) {
  const auto many = [](int count) {
    std::string text = R"({"schema":"qingyin.events/1","events":[)";
    for (int i = 0; i < count; ++i) {
      text += (i > 0 ? ",{\"id\":\"e" : "{\"id\":\"e") + std::to_string(i) +
              R"(","label":"x","onset_s":1,"offset_s":2})";
    }
    return text + "]}";
  };
  EXPECT_EQ(read(many(100000)).timeline.events.size(), 100000U);
  EXPECT_CONTAINS(refusal(many(100001)), "has 100001 entries; at most 100000");
  EXPECT_CONTAINS(refusal(with_event(kPlain + ", \"x\": " + std::string(33, '['))),
                  "nested deeper");
  EXPECT_CONTAINS(refusal(std::string((16 << 20) + 1, ' ')), "at most 16777216");
  try {
    read(many(100001));
  } catch (const Error& error) {
    EXPECT_EQ(error.reason(), "limit");
  }
}

TEST(EventJson, RefusesToWriteWhatItWouldNotRead) {
  EventDocument document = read(kExample);
  document.timeline.events[0].intensity = 2;
  document.timeline.events[1].id = document.timeline.events[0].id;
  document.timeline.events[1].offset = Seconds(std::nan(""));
  document.timeline.prompt = "\xff";
  const std::string message =
      expect_error(ErrorCode::kInvalidInput, [&] { static_cast<void>(document.to_json()); });
  for (const char* pointer : {"/events/0/intensity: ", "/events/1/id: ", "/events/1/offset_s: ",
                              "/prompt: ", "in 4 places"}) {
    EXPECT_CONTAINS(message, pointer);
  }
  EXPECT_EQ(problems(document.timeline).size(), 4U);
}

TEST(EventFile, IsReadFromDisk) {
  const TemporaryFolder folder;
  put(folder / "e.json", kExample);
  EXPECT_EQ(read_events(folder / "e.json").to_json(), kExample);
  EXPECT_CONTAINS(
      expect_error(ErrorCode::kInvalidInput, [&] { read_events(folder / "none.json"); }),
      "none.json: cannot be read");
  expect_error(ErrorCode::kInvalidInput, [&] { read_events(folder.path()); });
  expect_error(ErrorCode::kInvalidInput, [&] { read_events("/dev/zero"); });
  put(folder / "empty.json", "");
  expect_error(ErrorCode::kInvalidInput, [&] { read_events(folder / "empty.json"); });
  put(folder / "huge.json", "{");
  std::filesystem::resize_file(folder / "huge.json", 100'000'000'000);
  EXPECT_CONTAINS(
      expect_error(ErrorCode::kInvalidInput, [&] { read_events(folder / "huge.json"); }),
      "more than 16777216 bytes");
}

TEST(EventFile, IsBoundedByTheClipWhereItHasNoFactsOfItsOwn) {
  const TemporaryFolder folder;
  put(folder / "e.json", R"({"schema":"qingyin.events/1","events":[{)" + kPlain + "}]}");
  EXPECT_NO_THROW(read_events(folder / "e.json"));
  EXPECT_CONTAINS(
      expect_error(ErrorCode::kInvalidInput, [&] { read_events(folder / "e.json", Seconds(1.5)); }),
      "/events/0/offset_s: 2.0 lies past the clip's end at 1.5");
}

}  // namespace
}  // namespace qingyin::test
